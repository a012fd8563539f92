// `bench`: load tests for HTTP servers and for this client. Without a subcommand it runs the
// scenario list. The commands only read arguments; the work is elsewhere. Main thread.

import ArgumentParser
import Fetch

/// The root command.
@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures this HTTP client, or any HTTP/1.1 server with it.",
        discussion: """
            Without a subcommand it starts a server of its own on loopback and runs a list of \
            scenarios, two minutes at most. Caching and coalescing are off: every request is sent.
            """,
        version: Versions.current.description,
        subcommands: [
            ListCommand.self, HTTPCommand.self, TransferCommand.self, CompareCommand.self,
            ScenarioCommand.self, TLSCommand.self, TLSNewCommand.self, TLSDownloadCommand.self,
            NamesCommand.self, LimiterCommand.self, BatchCommand.self, BackoffCommand.self,
            RetryStormCommand.self, BreakerCommand.self, PriorityCommand.self,
            CoalesceCommand.self, CacheHitCommand.self, CacheDiskCommand.self, RestCommand.self,
            ChurnCommand.self, ResolveCommand.self, InstructionsCommand.self,
            ChecksCommand.self, BackoffFaceCommand.self, EntriesCommand.self, OriginCommand.self,
            FloorCommand.self, GuardCommand.self,
        ],
        defaultSubcommand: ListCommand.self)
}
