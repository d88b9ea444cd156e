package differential

// Exception is a way in which Pharos may answer differently from Java 5.5.0. Each rests on
// a numbered item of the behaviour reference, or on an answer that is an exception's text
// in Java, and is explained in docs/compatibility.md.
type Exception struct {
	Number int
	Spec   string // the item it rests on
	Reason string
	Match  func(*Case) bool
}

// Case is one difference and where it happened.
type Case struct {
	*Difference
	Step *Step
	ask  func(code int32, ext []Ext) (*Reply, error) // to the reference
}

// Exceptions is the whole list. Nothing else may differ.
var Exceptions = []Exception{
	{
		Number: 1,
		Spec:   "section 1.7, a handler that throws",
		Reason: "Java's remark is the text of its exception and a line of its source; Pharos says what was wrong with the request",
		Match: func(c *Case) bool {
			return c.Field == "remark" && c.ReplyA.Code == 1 && c.ReplyB.Code == 1 &&
				c.ReplyA.Remark != nil && exceptionText.MatchString(*c.ReplyA.Remark) &&
				c.ReplyB.Remark != nil && *c.ReplyB.Remark != ""
		},
	},
}

// exceptionFor finds the exception that covers a case, or nil.
func exceptionFor(c *Case) *Exception {
	for i := range Exceptions {
		if Exceptions[i].Match(c) {
			return &Exceptions[i]
		}
	}
	return nil
}
