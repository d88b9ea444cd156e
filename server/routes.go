package server

// routes is the dispatch table: every request code that is answered with more than
// "not supported".
var routes = []route{}
