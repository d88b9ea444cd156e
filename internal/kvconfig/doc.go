// Package kvconfig is the KV configuration of the name server: namespace -> key -> value,
// in memory and in a file (Java: KVConfigManager, kvConfig.json).
//
// Reads take an immutable snapshot from one atomic pointer and never wait. Writes are
// durable when they return: the file is replaced by one that is complete and synced,
// and only then does the snapshot change. Writers wait for each other.
//
// A namespace that was ever written to stays, empty, when its last key is deleted: to a
// 4.x broker an empty ORDER_TOPIC_CONFIG and none at all are different answers.
package kvconfig
