package bpf

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// needed are the capabilities that opening a tracer takes since Linux 5.8. CAP_SYS_ADMIN
// includes both.
var needed = []struct {
	bit  uint
	name string
}{{unix.CAP_BPF, "CAP_BPF"}, {unix.CAP_PERFMON, "CAP_PERFMON"}}

// explain says in one line why BPF can't be used, and what would help.
func explain(err error) string {
	lacking := lackingCapabilities()
	// A probe for a feature is refused like everything else, and says that there is no such feature.
	refused := errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, ebpf.ErrNotSupported)
	switch {
	case errors.Is(err, errNoBTF):
		return "this kernel has no type information in /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF), or /sys is hidden"
	case errors.Is(err, unix.ENOSYS):
		return "this kernel has no bpf(2), or a seccomp filter hides it"
	case lacking != "" && refused:
		return "no permission: " + lacking + " missing"
	case lockdown() == "confidentiality":
		return "kernel lockdown is in confidentiality mode, which forbids reading kernel data"
	case refused && ownUserNamespace():
		return "no permission: this process is in a user namespace (a rootless container), where CAP_BPF and CAP_PERFMON do not count"
	case errors.Is(err, unix.EPERM):
		return "the kernel refused bpf(2) although CAP_BPF and CAP_PERFMON are there: a seccomp filter, " +
			"an LSM or (before Linux 5.11) a low RLIMIT_MEMLOCK"
	}
	return oneLine(err)
}

// errNoBTF marks a failure to read the kernel's own types.
var errNoBTF = errors.New("no kernel BTF")

// oneLine is the error without the verifier's log, which runs to pages.
func oneLine(err error) string {
	var verifier *ebpf.VerifierError
	if errors.As(err, &verifier) {
		return strings.ReplaceAll(verifier.Error(), "\n", " ")
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}

// lackingCapabilities names those of needed that this thread doesn't have, "" for none.
func lackingCapabilities() string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Sprintf("capabilities can't be read (%v), CAP_BPF and CAP_PERFMON perhaps", err)
	}
	has := func(bit uint) bool { return data[bit/32].Effective&(1<<(bit%32)) != 0 }
	if has(unix.CAP_SYS_ADMIN) {
		return ""
	}
	var lacking []string
	for _, c := range needed {
		if !has(c.bit) {
			lacking = append(lacking, c.name)
		}
	}
	return strings.Join(lacking, " and ")
}

// ownUserNamespace reports whether this process is in another user namespace than the first one.
func ownUserNamespace() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && !allUsers(string(text))
}

// allUsers reports whether a uid_map is that of the first user namespace.
func allUsers(uidMap string) bool {
	return slices.Equal(strings.Fields(uidMap), []string{"0", "0", "4294967295"})
}

// lockdown is the kernel's lockdown mode, "" where it can't be seen.
func lockdown() string {
	text, err := os.ReadFile("/sys/kernel/security/lockdown")
	if err != nil {
		return ""
	}
	return lockdownMode(string(text))
}

// lockdownMode picks the chosen one of "none [integrity] confidentiality".
func lockdownMode(text string) string {
	_, rest, ok := strings.Cut(text, "[")
	if !ok {
		return ""
	}
	mode, _, _ := strings.Cut(rest, "]")
	return mode
}
