package server

import (
	"runtime"
	"strconv"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

const (
	remarkRegisterFailed = "register broker failed"
	remarkCRC            = "crc32 not match"
)

// registerBroker answers REGISTER_BROKER (103): a broker's topics, every 30 seconds.
//
// Header: clusterName, brokerName, brokerAddr, brokerId; haServerAddr,
// heartbeatTimeoutMillis, enableActingMaster (absent is an old broker and differs from
// false), compressed, bodyCrc32 (0: unchecked), __ZONE_NAME. Body: codec.ParseRegisterBody.
//
// On the loop, the checksum and the digest are taken; a registration that says what the
// broker said last is answered from there, without a parse. Any other goes to the broker's
// lane. The answer is sent after publication, so that a broker that reads it finds itself.
//
// Java: DefaultRequestProcessor#registerBroker, which answers 0 to registrations that it
// half applies, or not at all, since something is missing in them. Those are refused here.
func registerBroker(h *handlers, rq *Request) {
	var header routetable.RegistrationHeader
	missing := readRegistrationHeader(rq.Cmd, &header)
	digest, crcOK := h.checkRegisterBody(rq, &header)
	switch {
	case !crcOK:
		h.stats.registered(RegistrationBadCRC)
		h.lines.warn(logRegisterRefused, "registration refused: its checksum is wrong", "caller", rq.Conn.RemoteAddr(),
			"brokerName", clip(string(header.Name)), "brokerAddr", clip(string(header.Addr)))
		rq.Reply(codec.SystemError, remarkCRC, noExt)
		return
	case missing != "":
		h.stats.registered(RegistrationInvalid)
		h.lines.warn(logRegisterRefused, "registration refused: its header has no "+missing, "caller", rq.Conn.RemoteAddr(),
			"brokerName", clip(string(header.Name)), "brokerAddr", clip(string(header.Addr)))
		rq.Reply(codec.SystemError, remarkRegisterFailed+": the header has no "+missing, nil)
		return
	}
	if name, bytes := overlongName(&header); bytes > 0 {
		h.stats.registered(RegistrationInvalid)
		remark := name + " has " + strconv.Itoa(bytes) + " bytes, and may have " + strconv.Itoa(brokerNameBytesMax)
		h.lines.warn(logRegisterRefused, "registration refused: "+remark, "caller", rq.Conn.RemoteAddr(),
			"brokerName", clip(string(header.Name)), "brokerAddr", clip(string(header.Addr)))
		rq.Reply(codec.SystemError, remarkRegisterFailed+": "+remark, nil)
		return
	}
	key := h.table.Snapshot().BrokerKey(header.Cluster, header.Addr)
	rq.Conn.Bindings().Note(key)
	// A job that waits in the lane is older than this request and must come first.
	if h.srv.lanes.Idle(BrokerLane(key)) {
		if res, ok := h.table.RenewUnchanged(&header, digest, rq.Conn.ID(), rq.NowMillis, h.rules()); ok {
			h.renewed(rq, res)
			return
		}
	}
	rq.Offload(BrokerLane(key), func(p *Pending) { h.register(p, digest) })
	if rq.Answered() { // SYSTEM_BUSY: it will be back in 30 seconds, and lives until then
		h.stats.registered(RegistrationBusy)
		rq.Conn.Bindings().Forget(key)
		h.table.Heartbeat(header.Cluster, header.Addr, rq.NowMillis)
	}
}

// heartbeatTimeoutMaxMillis is how long a silent broker is kept, whatever it asks for. A close
// of ours, for want of memory for instance, leaves its registrations to their expiry: without
// a bound they could stay for ever.
const heartbeatTimeoutMaxMillis = 3_600_000

// readRegistrationHeader fills in what the header says and returns the name of the first
// field that is missing, or no number though it should be one.
func readRegistrationHeader(cmd *codec.Command, header *routetable.RegistrationHeader) (missing string) {
	h := routetable.RegistrationHeader{Version: cmd.Version}
	var okCluster, okName, okAddr, okID bool
	h.Cluster, okCluster = cmd.Ext("clusterName")
	h.Name, okName = cmd.Ext("brokerName")
	h.Addr, okAddr = cmd.Ext("brokerAddr")
	h.ID, okID = cmd.ExtInt64("brokerId")
	h.HAServerAddr, _ = cmd.Ext("haServerAddr")
	h.Zone, _ = cmd.Ext(extZoneName)
	h.TimeoutMillis, h.TimeoutSet = cmd.ExtInt64("heartbeatTimeoutMillis")
	h.TimeoutMillis = min(h.TimeoutMillis, heartbeatTimeoutMaxMillis)
	h.Compressed, _ = cmd.ExtBool("compressed")
	if acting, ok := cmd.ExtBool("enableActingMaster"); ok {
		h.ActingMaster = routetable.ActingMasterFalse
		if acting {
			h.ActingMaster = routetable.ActingMasterTrue
		}
	}
	*header = h
	switch {
	case !okCluster:
		return "clusterName"
	case !okName:
		return "brokerName"
	case !okAddr:
		return "brokerAddr"
	case !okID:
		if _, there := cmd.Ext("brokerId"); there {
			return "brokerId that is a number"
		}
		return "brokerId"
	}
	return ""
}

// brokerNameBytesMax bounds each name of a broker: with names of a megabyte, some hundred
// brokers would make the cluster list, every topic's route, and the metrics, larger than any
// of them can be. A broker's own names are topics too, which may have 127 bytes.
const brokerNameBytesMax = 1024

// overlongName returns the first name of a registration that is too long, and its length;
// 0 when there is none.
func overlongName(h *routetable.RegistrationHeader) (field string, bytes int) {
	switch {
	case len(h.Cluster) > brokerNameBytesMax:
		return "clusterName", len(h.Cluster)
	case len(h.Name) > brokerNameBytesMax:
		return "brokerName", len(h.Name)
	case len(h.Addr) > brokerNameBytesMax:
		return "brokerAddr", len(h.Addr)
	case len(h.HAServerAddr) > brokerNameBytesMax:
		return "haServerAddr", len(h.HAServerAddr)
	case len(h.Zone) > brokerNameBytesMax:
		return extZoneName, len(h.Zone)
	}
	return "", 0
}

// renewed answers an unchanged registration.
func (h *handlers) renewed(rq *Request, res routetable.RegisterResult) {
	h.stats.registered(RegistrationUnchanged)
	if !h.bind(rq.Conn, res.Binding, true) {
		// The connection closed a moment ago, and its close, which takes its brokers with it,
		// cannot know this binding.
		h.removeBindingLater(res.Binding)
	}
	h.replyRegistered(rq, res)
}

// register runs in the broker's lane.
func (h *handlers) register(p *Pending, digest routetable.Digest) {
	var header routetable.RegistrationHeader
	readRegistrationHeader(p.Cmd, &header)
	key := routetable.BrokerKey{Cluster: string(header.Cluster), Addr: string(header.Addr)}
	room := takeRegisterRoom()
	defer room.putBack()
	body, remark := h.parseRegisterBody(p, &header, room)
	if remark != "" {
		p.Conn.Bindings().Forget(key)
		h.stats.registered(RegistrationInvalid)
		h.lines.warn(logRegisterRefused, "registration refused: its body cannot be used", "caller", p.Conn.RemoteAddr(),
			"brokerName", clip(string(header.Name)), "brokerAddr", clip(string(header.Addr)), "reason", remark)
		p.Reply(codec.SystemError, remark, nil)
		return
	}
	if body.DataVersionStamped {
		digest = routetable.Digest{} // Java takes it for changed each time
	}
	reg := newRegistration(key, &header, body)
	reg.Conn, reg.NowMillis, reg.Digest = p.Conn.ID(), h.clock.Millis(), digest
	_, known := h.table.Snapshot().Live(reg.Broker)
	res, alive := h.applyRegistration(p.Conn, reg)
	if !alive {
		h.stats.registered(RegistrationTooLate)
		p.Reply(codec.SystemError, remarkRegisterFailed+": the connection is closed", nil)
		return
	}
	h.countRegistration(p, reg, &res, known)
	if res.Status != routetable.Registered {
		p.Conn.Bindings().Forget(key)
	}
	if res.Status == routetable.RegisterRefused {
		p.Reply(codec.SystemError, remarkRegisterFailed, noExt)
		return
	}
	h.replyRegistered(p, res)
}

// parseRegisterBody reads the body, or says with what remark the registration is refused.
// The body lives in room.
func (h *handlers) parseRegisterBody(p *Pending, header *routetable.RegistrationHeader, room *registerRoom) (*codec.RegisterBody, string) {
	body, err := codec.ParseRegisterBody(p.bodyIn(room.bytes), codec.RegisterBodyOptions{
		Version: header.Version, Compressed: header.Compressed, NowMillis: time.Now().UnixMilli(),
		Limits: &h.srv.o.Limits, Yield: runtime.Gosched, TopicsRoom: room.topics,
	})
	if err != nil {
		room.topics = nil // who knows how much of it was written
		return nil, "Failed to decode RegisterBrokerBody: " + err.Error()
	}
	room.keep(p.body, body.Topics)
	if body.TopicTableMissing {
		return nil, remarkRegisterFailed + ": topicConfigTable is null"
	}
	for i := range body.Topics {
		if body.Topics[i].Name == nil {
			return nil, remarkRegisterFailed + ": the config of topic " + clip(string(body.Topics[i].Key)) + " has no topicName"
		}
	}
	return body, ""
}

// newRegistration makes what the table is told; its strings are its own.
func newRegistration(key routetable.BrokerKey, h *routetable.RegistrationHeader, body *codec.RegisterBody) *routetable.Registration {
	return &routetable.Registration{
		Broker: key, Name: string(h.Name), ID: h.ID,
		HAServerAddr:  codec.NullString{String: string(h.HAServerAddr), Valid: h.HAServerAddr != nil},
		Zone:          codec.NullString{String: string(h.Zone), Valid: h.Zone != nil},
		TimeoutMillis: h.TimeoutMillis, TimeoutSet: h.TimeoutSet, ActingMaster: h.ActingMaster,
		Body: body,
	}
}

// applyRegistration publishes a registration, unless its connection has closed: nobody
// would remove it again before its expiry. alive is false then. It is false too, and the
// registration is removed, if the connection closes meanwhile and its brokers go with it.
func (h *handlers) applyRegistration(conn Conn, reg *routetable.Registration) (res routetable.RegisterResult, alive bool) {
	effects := h.table.Update(h.rules(), func(x *routetable.Txn) {
		res = routetable.RegisterResult{}
		if alive = !conn.Closed(); alive {
			res = x.RegisterBroker(reg)
		}
	})
	h.perform(effects)
	if alive && res.Status == routetable.Registered && !h.bind(conn, res.Binding, true) {
		h.removeBinding(res.Binding) // closed since the look within
		alive = false
	}
	return res, alive
}

// replyRegistered answers 0, with the master's addresses if there is one to tell and, if
// it exists, the namespace ORDER_TOPIC_CONFIG. For 4.x brokers no body and an empty
// table are different answers.
func (h *handlers) replyRegistered(a answerer, res routetable.RegisterResult) {
	ext := a.extRoom()
	if res.HAServerAddr.Valid {
		ext = append(ext, codec.ExtField{Key: "haServerAddr", Value: res.HAServerAddr.String})
	}
	if res.MasterAddr.Valid {
		ext = append(ext, codec.ExtField{Key: "masterAddr", Value: res.MasterAddr.String})
	}
	dst := a.Begin(codec.Success, "", ext)
	if h.config.Live().ReturnOrderTopicConfigToBroker {
		dst = append(dst, h.kv.OrderTopicTable()...)
	}
	a.End(dst)
}
