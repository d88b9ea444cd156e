package codec

// RegisterBodyOptions says how the body of a REGISTER_BROKER request has to be read.
type RegisterBodyOptions struct {
	Version    int32 // of the request: it decides the body's form
	Compressed bool  // ext field compressed
	NowMillis  int64 // wall clock: the timestamp of a data version that has none
	Limits     *Limits
	// Yield is called about every 256 KiB that were parsed or inflated, so that a parser
	// can leave its processor to others. Nil: never.
	Yield func()
	// TopicsRoom is where the topics go as far as they fit; its length and content do not
	// count. The result's Topics may share its memory.
	TopicsRoom []TopicConfig
}

// zlibFirstByte starts every zlib stream with the usual 32 KiB window (CMF, RFC 1950).
// JSON cannot start with it.
const zlibFirstByte = 0x78

// ParseRegisterBody reads the body of REGISTER_BROKER in the form that the request's
// version calls for:
//
//   - below 37 (3.0.11) a bare TopicConfigSerializeWrapper, compressed or not;
//   - from there on a RegisterBrokerBody, or its compressed form. A zlib stream is
//     recognised where plain JSON was announced: 5.x brokers with compressedRegister send
//     that, and Java refuses it;
//   - no body: no topics and the data version {0,0,0}, which is not stamped.
//
// The result owns body: topic names point into it. Errors say what is wrong at which byte
// (of the inflated body, if it was compressed) and wrap ErrBody or ErrBodyTooLarge.
//
// Java: DefaultRequestProcessor.registerBroker, RegisterBrokerBody.decode.
func ParseRegisterBody(body []byte, o RegisterBodyOptions) (*RegisterBody, error) {
	if o.Limits == nil {
		limits := DefaultLimits()
		o.Limits = &limits
	}
	if o.Version < 0 {
		return nil, bodyErrorf(0, "request of version %d", o.Version)
	}
	old := o.Version < Version3_0_11
	switch {
	case len(body) == 0:
		rb := &RegisterBody{FilterServersNull: old}
		if !old {
			rb.FilterServers = []string{}
		}
		return rb, nil
	case old:
		return parseRegisterOld(body, &o)
	case o.Compressed || body[0] == zlibFirstByte:
		return parseRegisterCompressed(body, &o)
	}
	return parseRegisterJSON(body, &o)
}

// registerScanner reads the JSON forms of a registration.
type registerScanner struct {
	bodyScanner
	rb        *RegisterBody
	nowMillis int64
	topicsMax int
	topics    int // read so far, also those replaced since
	like      topicTexts
}

func newRegisterScanner(body []byte, o *RegisterBodyOptions) *registerScanner {
	s := &registerScanner{
		bodyScanner: newBodyScanner(body, o.Limits),
		rb:          &RegisterBody{FilterServers: []string{}, Topics: o.TopicsRoom[:0]},
		nowMillis:   o.NowMillis,
		topicsMax:   o.Limits.TopicsMax,
	}
	s.setYield(o.Yield)
	s.resetWrapper()
	return s
}

// done ends the body and hands out what was read.
func (s *registerScanner) done() (*RegisterBody, error) {
	s.end()
	if s.err != nil {
		return nil, s.err
	}
	return s.rb, nil
}

// parseRegisterOld reads what brokers before 3.0.11 send.
func parseRegisterOld(body []byte, o *RegisterBodyOptions) (*RegisterBody, error) {
	s := newRegisterScanner(body, o)
	s.rb.FilterServers, s.rb.FilterServersNull = nil, true
	s.wrapper(false)
	return s.done()
}

// parseRegisterJSON reads a RegisterBrokerBody.
func parseRegisterJSON(body []byte, o *RegisterBodyOptions) (*RegisterBody, error) {
	s := newRegisterScanner(body, o)
	s.openObject("RegisterBrokerBody")
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		switch string(key) {
		case "topicConfigSerializeWrapper":
			s.wrapper(true)
		case "filterServerList":
			s.rb.FilterServers = s.strings("filterServerList")
			s.rb.FilterServersNull = s.rb.FilterServers == nil
		default:
			s.skip()
		}
	}
	return s.done()
}

// resetWrapper makes the body what an absent wrapper is: a repeated one replaces the
// first altogether.
func (s *registerScanner) resetWrapper() {
	s.rb.DataVersion, s.rb.DataVersionStamped = DataVersion{Timestamp: s.nowMillis}, true
	s.rb.Topics, s.rb.TopicTableMissing = s.rb.Topics[:0], false
	s.rb.Mappings = nil
}

// wrapper reads a TopicConfigSerializeWrapper; mappings says whether the sender can know
// static topics (Java: TopicConfigAndMappingSerializeWrapper).
func (s *registerScanner) wrapper(mappings bool) {
	s.resetWrapper()
	s.noReference()
	if s.null() {
		s.rb.TopicTableMissing = true
		return
	}
	s.openObject("TopicConfigSerializeWrapper")
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		switch {
		case string(key) == "dataVersion":
			s.registerDataVersion()
		case string(key) == "topicConfigTable":
			s.topicConfigTable()
		case string(key) == "topicQueueMappingInfoMap" && mappings:
			s.mappingInfoMap()
		case string(key) == "topicQueueMappingDetailMap" && mappings:
			s.mappingDetailMap()
		case string(key) == "mappingDataVersion" && mappings:
			if !s.null() {
				s.dataVersion(s.nowMillis)
			}
		default:
			s.skip()
		}
	}
}

// registerDataVersion reads the version of the topic table. An explicit null is refused:
// Java stores it, and then fails at every registration that has to be compared with it.
func (s *registerScanner) registerDataVersion() {
	offset := s.i
	s.noReference()
	if s.null() {
		s.fail(offset, "dataVersion is null")
		return
	}
	s.rb.DataVersion, s.rb.DataVersionStamped = s.dataVersion(s.nowMillis)
}

// mappingInfoMap reads the shares of static topics. One that is null is refused: in Java
// the registration fails half way at it.
func (s *registerScanner) mappingInfoMap() {
	s.rb.Mappings = nil
	s.noReference()
	s.entries("topicQueueMappingInfoMap", false, func(topic string) {
		s.rb.Mappings = append(s.rb.Mappings, TopicQueueMapping{Topic: topic, Info: s.mappingInfo()})
	})
}

// mappingDetailMap checks what the broker knows of static topics beside its shares. A name
// server has no use for it, but a registration in which it is odd is refused by Java.
func (s *registerScanner) mappingDetailMap() {
	s.passing = true
	s.entries("topicQueueMappingDetailMap", true, func(string) { s.mapping(s.hostedQueues) })
	s.passing = false
}

// hostedQueues checks a map of queue ids to lists of pieces of queues.
func (s *registerScanner) hostedQueues() {
	if s.null() {
		return
	}
	s.openMap("hostedQueues")
	for s.nextInt() {
		if !s.null() {
			s.int32()
		}
		s.optionalColon()
		s.list("hostedQueues", func() {
			s.openObject("LogicQueueMappingItem")
			for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
				switch string(key) {
				case "bname":
					s.text()
				case "endOffset", "logicOffset", "startOffset", "timeOfEnd", "timeOfStart":
					s.int64()
				case "gen", "queueId":
					s.int32()
				default:
					s.skip()
				}
			}
		})
		s.nextComma()
	}
}

// countTopic fails when the body has more topics than allowed.
func (s *registerScanner) countTopic() bool {
	if s.topics++; s.topics > s.topicsMax {
		s.stop(bodyTooLargef(s.i, "more than %d topics", s.topicsMax))
		return false
	}
	return true
}
