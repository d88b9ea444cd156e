package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrMessage: a message, topic or group cannot be sent as it is. Nothing was sent.
var ErrMessage = errors.New("client: illegal message")

// Message is a message to send (Java: Message). The producer does not change it and keeps no
// part of it: one Message may be sent again, and by several goroutines, while nobody writes
// to it.
type Message struct {
	Topic string
	Body  []byte // at least one byte
	Tags  string // what consumers filter by; "" is none
	// Keys are what the message is found by in the broker's index. A key holds no space.
	Keys []string
	// Properties are the application's, and those of RocketMQ that have no field here, such
	// as DELAY, __SHARDINGKEY or UNIQ_KEY. Names and values must not hold the bytes 1 and 2.
	Properties map[string]string
	Flag       int32 // the application's; brokers hand it through
}

// Properties that the fields of a Message stand for, and the message id (Java: MessageConst).
const (
	propertyKeys   = "KEYS"
	propertyTags   = "TAGS"
	propertyWait   = "WAIT"
	propertyUniqID = "UNIQ_KEY"
)

// Bounds of Java's (Validators, MessageDecoder, DefaultMQProducer).
const (
	topicBytesMax      = 127
	groupBytesMax      = 120
	propertiesBytesMax = 1<<15 - 1 // the broker stores the length in 16 signed bits
	bodyBytesMax       = 4 << 20   // the default of ProducerOptions.BodyBytesMax
)

// Separators of encoded properties (Java: MessageDecoder).
const (
	nameValueSeparator = 1
	propertySeparator  = 2
)

// forbiddenTopics are topics that brokers keep for themselves (Java: TopicValidator).
var forbiddenTopics = []string{
	"SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC",
	"TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT",
}

// check refuses what brokers would refuse or misread.
//
// Java: Validators#checkMessage.
func (m *Message) check(bodyBytesMax int) error {
	if m == nil {
		return fmt.Errorf("%w: nil", ErrMessage)
	}
	if err := checkName("topic", m.Topic, topicBytesMax); err != nil {
		return err
	}
	if slices.Contains(forbiddenTopics, m.Topic) {
		return fmt.Errorf("%w: topic %s is the brokers' own", ErrMessage, m.Topic)
	}
	if len(m.Body) == 0 {
		return fmt.Errorf("%w: message to %s has no body", ErrMessage, m.Topic)
	}
	if len(m.Body) > bodyBytesMax {
		return fmt.Errorf("%w: the body of a message to %s has %d bytes, at most %d are sent",
			ErrMessage, m.Topic, len(m.Body), bodyBytesMax)
	}
	for _, key := range m.Keys {
		if key == "" || strings.Contains(key, " ") {
			return fmt.Errorf("%w: message to %s has the key %q; keys are separated by spaces", ErrMessage, m.Topic, key)
		}
	}
	return nil
}

// checkName holds a topic or group to Java's ^[%|a-zA-Z0-9_-]+$.
func checkName(what, name string, bytesMax int) error {
	if name == "" {
		return fmt.Errorf("%w: no %s", ErrMessage, what)
	}
	if len(name) > bytesMax {
		return fmt.Errorf("%w: %s %q has %d bytes, at most %d are allowed", ErrMessage, what, name, len(name), bytesMax)
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '%', c == '|':
		default:
			return fmt.Errorf("%w: %s %q holds %q; letters, digits and _ - %% | are allowed", ErrMessage, what, name, c)
		}
	}
	return nil
}

// encodeProperties writes all properties of the message as brokers store them, sorted by
// name, and returns the message's id: its own UNIQ_KEY, or else uniqID.
//
// Java: MessageDecoder#messageProperties2String, MessageClientIDSetter#setUniqID.
func (m *Message) encodeProperties(uniqID func() string) (encoded, id string, err error) {
	all := make(map[string]string, len(m.Properties)+4)
	for name, value := range m.Properties {
		all[name] = value
	}
	set := func(name, value string) {
		if _, twice := all[name]; twice {
			err = fmt.Errorf("%w: message to %s has the property %s, for which Message has a field", ErrMessage, m.Topic, name)
		}
		all[name] = value
	}
	if m.Tags != "" {
		set(propertyTags, m.Tags)
	}
	if len(m.Keys) > 0 {
		set(propertyKeys, strings.Join(m.Keys, " "))
	}
	if err != nil {
		return "", "", err
	}
	if all[propertyWait] == "" {
		all[propertyWait] = "true"
	}
	if all[propertyUniqID] == "" {
		all[propertyUniqID] = uniqID()
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	b := make([]byte, 0, 128)
	for _, name := range names {
		if name == "" || hasSeparator(name) || hasSeparator(all[name]) {
			return "", "", fmt.Errorf("%w: property %q=%q of a message to %s: names are not empty, and bytes 1 and 2 separate properties",
				ErrMessage, name, all[name], m.Topic)
		}
		b = append(b, name...)
		b = append(b, nameValueSeparator)
		b = append(b, all[name]...)
		b = append(b, propertySeparator)
	}
	if len(b) > propertiesBytesMax {
		return "", "", fmt.Errorf("%w: the properties of a message to %s have %d bytes, at most %d can be stored",
			ErrMessage, m.Topic, len(b), propertiesBytesMax)
	}
	return string(b), all[propertyUniqID], nil
}

func hasSeparator(s string) bool { return strings.ContainsAny(s, "\x01\x02") }
