// `bench transfer URL`: one body of any length, and what it costs in memory and time. Main thread.

import ArgumentParser

/// A transfer of one body.
struct TransferCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer",
        abstract: "Moves one body of any length and prints memory and CPU time.",
        discussion: """
            Meant for mockserver: `--down 10737418240` with the path /bytes/10737418240, \
            `--up 10737418240` with /swallow. Bodies are streamed, down or up, so memory stays \
            flat whatever their length.
            """)

    @Argument(help: "http://HOST:PORT/PATH") var url: String
    @Option(help: "Read a response of so many bytes.") var down: Int?
    @Option(help: "Send a request of so many bytes, in mockserver's pattern.") var up: Int?
    @Option(help: "Stop reading, or producing, for so many seconds in the middle.") var pause = 0.0
    @Flag(help: "Compare every received byte with mockserver's pattern.") var check = false
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard (down == nil) != (up == nil) else {
            throw ValidationError("one of --down and --up says how many bytes")
        }
        guard down ?? 1 > 0, up ?? 1 > 0 else { throw ValidationError("bytes are positive") }
        guard pause >= 0, pause <= 3_600 else { throw ValidationError("--pause is not negative") }
        guard !(check && up != nil) else {
            throw ValidationError("--check is for --down; of an upload the server tells")
        }
    }

    func run() throws {
        let progress = Progress()
        progress.warnOfDebugBuild()
        let transfer = Transfer(
            url: url, direction: down == nil ? .up : .down, bytes: down ?? up ?? 0, checks: check,
            pause: .nanoseconds(Int64(pause * 1e9)), progress: progress)
        let outcome = try transfer.run()
        progress.clear()
        print(json ? outcome.json : text(outcome))
        guard outcome.status == 200, outcome.bytes == down ?? up, outcome.firstWrong == nil else {
            throw ExitCode(1)
        }
    }

    private func text(_ outcome: Transfer.Outcome) -> String {
        let megabytes = [outcome.residentBefore, outcome.residentMost, outcome.residentAfter]
            .map { decimal(Double($0) / 1_024, 1) }
        var lines = [
            "status \(outcome.status), \(grouped(outcome.bytes)) bytes in "
                + "\(decimal(outcome.wallSeconds, 2)) s",
            "CPU: \(decimal(outcome.processor.user, 2)) s user, "
                + "\(decimal(outcome.processor.system, 2)) s system",
            "resident: \(megabytes[0]) MB before, \(megabytes[1]) MB at most, "
                + "\(megabytes[2]) MB after; threads \(outcome.threads)",
        ]
        if let place = outcome.firstWrong {
            lines.append("a byte at \(place) or behind it is wrong")
        }
        if !outcome.answer.isEmpty { lines.append("the server: \(outcome.answer)") }
        return lines.joined(separator: "\n")
    }
}
