package config

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// javaOptionVariables are the variables that reach a Java server as options, in the order
// in which the JVM and RocketMQ's runserver.sh line them up. A later one wins.
var javaOptionVariables = []string{"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPT", "JAVA_OPT_EXT"}

// systemProperties collects the -D options. Everything else in those variables (heap
// sizes, collectors, class paths) means nothing here.
func systemProperties(getenv func(string) string) map[string]string {
	props := map[string]string{}
	for _, name := range javaOptionVariables {
		for _, word := range strings.Fields(getenv(name)) {
			if opt, ok := strings.CutPrefix(word, "-D"); ok {
				k, v, _ := strings.Cut(opt, "=")
				props[k] = v
			}
		}
	}
	return props
}

// passwdHome is what Java takes for user.home: the directory in the passwd entry, and
// $HOME only when there is no entry or it names no real directory ("" or "/").
func passwdHome(getenv func(string) string) string {
	var dir string
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil {
		dir = u.HomeDir
	}
	return usableHome(dir, getenv("HOME"))
}

// usableHome chooses between the passwd entry's directory and $HOME; "" is none.
func usableHome(passwd, home string) string {
	switch {
	case len(passwd) < 2 && len(home) > 1:
		return home
	case passwd == "":
		return "?" // as Java: a directory of this name below the working directory
	}
	return passwd
}

// intProperties are the -D options that are defaults of numeric keys (Java:
// NettySystemConfig, NettyDecoder).
var intProperties = []struct{ property, key string }{
	{"com.rocketmq.remoting.frameMaxLength", "frameBytesMax"},
	{"com.rocketmq.remoting.socket.sndbuf.size", "serverSocketSndBufSize"},
	{"com.rocketmq.remoting.socket.sndbuf.size", "clientSocketSndBufSize"},
	{"com.rocketmq.remoting.socket.rcvbuf.size", "serverSocketRcvBufSize"},
	{"com.rocketmq.remoting.socket.rcvbuf.size", "clientSocketRcvBufSize"},
	{"com.rocketmq.remoting.socket.backlog", "serverSocketBacklog"},
	{"com.rocketmq.remoting.write.buffer.high.water.mark", "writeBufferHighWaterMark"},
	{"com.rocketmq.remoting.write.buffer.low.water.mark", "writeBufferLowWaterMark"},
	{"com.rocketmq.remoting.client.worker.size", "clientWorkerThreads"},
	{"com.rocketmq.remoting.client.connect.timeout", "connectTimeoutMillis"},
	{"com.rocketmq.remoting.client.channel.maxIdleTimeSeconds", "clientChannelMaxIdleTimeSeconds"},
	{"com.rocketmq.remoting.clientOnewaySemaphoreValue", "clientOnewaySemaphoreValue"},
	{"com.rocketmq.remoting.clientAsyncSemaphoreValue", "clientAsyncSemaphoreValue"},
}

// environmentDefaults returns the defaults as the environment and the -D options make
// them. A bad one is an error: Java does not come up with it either.
func environmentDefaults(getenv func(string) string, userHome string) (*values, error) {
	props := systemProperties(getenv)
	home := userHome
	if home == "" {
		home = passwdHome(getenv)
	}
	if h, ok := props["user.home"]; ok {
		home = h
	}
	v := &values{Settings: DefaultSettings(home), Live: DefaultLive(), client: defaultClientValues()}
	v.RocketmqHome = getenv("ROCKETMQ_HOME")
	if h, ok := props["rocketmq.home.dir"]; ok {
		v.RocketmqHome = h
	}
	for _, p := range intProperties {
		text, ok := props[p.property]
		if !ok {
			continue
		}
		if err := fileKey(p.key).assign(v, text); err != nil {
			return nil, fmt.Errorf("option -D%s=%s: %w", p.property, text, err)
		}
	}
	if err := setSerializeType(v, props, getenv); err != nil {
		return nil, err
	}
	return v, nil
}

// setSerializeType picks the form of reply headers (Java: RemotingCommand's static block).
func setSerializeType(v *values, props map[string]string, getenv func(string) string) error {
	name, from := props["rocketmq.serialize.type"], "option -Drocketmq.serialize.type"
	if name == "" {
		name, from = getenv("ROCKETMQ_SERIALIZE_TYPE"), "environment variable ROCKETMQ_SERIALIZE_TYPE"
	}
	switch name {
	case "":
	case "JSON", "ROCKETMQ":
		v.SerializeType = name
	default:
		return fmt.Errorf("%s=%s: the serialize type is JSON or ROCKETMQ", from, name)
	}
	return nil
}
