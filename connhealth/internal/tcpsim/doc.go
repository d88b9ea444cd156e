// Package tcpsim is a small model of TCP as Linux speaks it, for simulations: sockets with
// tail loss probes, retransmission timeouts that back off, delayed acknowledgments and
// keepalive, over paths that lose, delay, reject or drop everything. Time is simulated.
//
// It knows nothing of the detector it is used to test. What it says of retransmission times
// is compared with traces of real kernels in its own test.
package tcpsim
