package config

// Printed returns the `key=value` lines that -p prints: the fields of NamesrvConfig,
// NettyServerConfig and NettyClientConfig in Java's order (60 lines, two keys twice),
// then our own keys.
func (c *Namesrv) Printed() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.valuesLocked()
	var java, ours []string
	for i := range keys {
		k := &keys[i]
		line := k.name + "=" + escapeControls(k.text(v))
		if k.owner == ownerPharos {
			ours = append(ours, line)
		} else {
			java = append(java, line)
		}
	}
	for i := range clientKeys {
		k := &clientKeys[i]
		name := k.name
		if k.printed != "" {
			name = k.printed
		}
		java = append(java, name+"="+escapeControls(k.text(v)))
	}
	return append(java, ours...)
}
