package bpf

const childEnv = "PHAROS_BPF_CHILD"

func child() {}
