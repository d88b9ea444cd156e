package codec

import "testing"

func BenchmarkPredictJSON105(b *testing.B) {
	lim := DefaultLimits()
	var c Command
	var p Predictor
	frame := jsonFrame(benchJSON105, "")
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		if err := p.Decode(&c, frame, &lim); err != nil {
			b.Fatal(err)
		}
	}
}
