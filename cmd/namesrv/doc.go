// Command namesrv is the name server process: the command line, exit codes, output lines,
// signals and log files of the Java one around [server.Server].
//
// Java: NamesrvStartup, ServerUtil.
package main
