// A process for what a test can't show in its own: that one thread is enough, that the main actor
// proceeds, what a forked child sees, and what an operation costs under callgrind.
// Run as `ReactorProbe NAME [COUNT]`; prints facts, one a line, that ReactorTests compares.

import CFetchLinux
import FetchReactor
import FetchTime
import Glibc

let name = CommandLine.arguments.dropFirst().first ?? ""
let count = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1

switch name {
case "one-thread": try probeOneThread()
case "main-actor": try probeMainActor()
case "global-executor": try probeGlobalExecutor()
case "fork": try probeFork()
case "fork-goes-on": try probeForkThatGoesOn()
case "nested": try Reactor.run { try Reactor.run {} }
case "elsewhere": try probeElsewhere()
case "turn-in-turn": try probeTurnInTurn()
case "cost-nothing": try Costs.nothing(count)
case "cost-dispatch": try Costs.dispatch(count)
case "cost-job": try Costs.jobs(count)
case "cost-serial-job": try Costs.serialJobs(count)
case "cost-timer": try Costs.timers(count)
case "cost-action": try Costs.actions(count)
default:
    print("unknown probe: \(name)")
    exit(2)
}
