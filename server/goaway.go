package server

import "github.com/pharosmq/pharos/codec"

// goAwayRemark is Java's.
const goAwayRemark = "please go away"

// understandsGoAway: clients above 5.3.1 reconnect elsewhere and repeat the request once;
// older ones are served until the end.
func understandsGoAway(cmd *codec.Command) bool { return cmd.Version > codec.Version5_3_1 }
