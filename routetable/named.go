package routetable

// RegistrationKey names one registration. Most operations know a broker by its address and
// mean what registered there last; an address that registered under two names has two
// registrations, which can fare differently.
type RegistrationKey struct {
	Broker BrokerKey
	Name   string // the group's
}

// Key returns what names this registration.
func (b BrokerInfo) Key() RegistrationKey { return RegistrationKey{b.Broker, b.Name} }

// Registration returns the registration of that name.
func (s *Snapshot) Registration(key RegistrationKey) (BrokerInfo, bool) {
	l := s.view.registration(key)
	if l == nil {
		return BrokerInfo{}, false
	}
	return l.info(l.leaf.load()), true
}

func (v *groupView) registration(key RegistrationKey) *brokerLive {
	if member := v.named(key.Name).byAddr(key.Broker.Addr); member != nil && member.live.key == key.Broker {
		return member.live
	}
	return nil
}

// HoldNamed is Hold of the registration of that name.
func (x *Txn) HoldNamed(key RegistrationKey, generation uint32) bool {
	return x.hold(x.view.registration(key), generation)
}

// ParkNamed is Park of the registration of that name.
func (x *Txn) ParkNamed(key RegistrationKey, generation uint32) bool {
	return x.park(x.view.registration(key), generation)
}

// RestoreNamed is Restore of the registration of that name.
func (x *Txn) RestoreNamed(key RegistrationKey, generation uint32, nowMillis int64) bool {
	return x.restore(x.view.registration(key), generation, nowMillis)
}
