// A process for what a test of the client can't show in its own: signals, forks, threads and
// descriptors. Client and origin share one reactor and its thread.
// Run as `FetchProbe NAME [COUNT]`; prints facts, one a line, that BehaviourTests compares.

import Fetch
import Glibc

let name = CommandLine.arguments.dropFirst().first ?? ""
let count = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1

switch name {
case "resets": try probeResets(count)
case "fork": try probeFork()
case "threads": try probeThreads(count)
case "origins": try probeOrigins(count)
case "close-on-exec": try probeCloseOnExec()
case "scopes": try probeScopes(count)
case "owned-threads": try probeOwnedThreads(count)
case "names": try probeNames(count)
case "flat-memory": try probeFlatMemory(count)
case "secure-threads": try probeSecureThreads(count)
case "tls-fork": try probeTLSFork()
case "tls-memory": try probeTLSMemory(count)
case "tls-tickets": try probeTLSTickets(count)
case "tls-idle": try probeTLSIdle(count)
default:
    print("unknown probe: \(name)")
    exit(2)
}
