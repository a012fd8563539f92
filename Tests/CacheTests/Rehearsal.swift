// Plays a request's way through the cache without an origin or a clock: what the tables of this
// folder are read with.

import FetchBytes
import FetchCache
import FetchHTTP
import FetchTime

/// A cache on a virtual clock.
struct Rehearsal {
    /// 2026-11-21T00:00:00Z.
    static let start: Int64 = 1_795_219_200

    var rules: CacheRules
    var index: MemoryIndex
    private(set) var now = Rehearsal.time(0)

    init(_ rules: CacheRules = CacheRules(), _ limits: MemoryIndex.Limits = .init()) {
        self.rules = rules
        index = MemoryIndex(limits)
    }

    /// So many seconds behind the start.
    static func time(_ seconds: Double) -> Now {
        let nanoseconds = Int64((seconds * 1_000_000_000).rounded())
        return Now(
            instant: Instant(nanoseconds: 1_000_000_000_000 + nanoseconds),
            wall: Timestamp(seconds: start).adding(nanoseconds: nanoseconds))
    }

    mutating func wait(_ seconds: Double) {
        let nanoseconds = Int64((seconds * 1_000_000_000).rounded())
        now.instant = now.instant.adding(nanoseconds: nanoseconds)
        now.wall = now.wall.adding(nanoseconds: nanoseconds)
    }

    /// Sets the wall clock alone.
    mutating func moveWall(_ seconds: Int64) {
        now.wall.seconds += seconds
    }

    func begin(_ request: CacheRequest) -> (CacheLookup, CacheLookup.Action) {
        var lookup = CacheLookup(request, rules)
        var action = lookup.begin()
        if action == .askStore {
            action = lookup.storeAnswered(index.stored(under: request.key), now: now)
        }
        return (lookup, action)
    }

    /// An origin's answer, and its body when that is wanted.
    mutating func respond(
        _ lookup: inout CacheLookup, _ status: UInt16, _ fields: String,
        body: String = "0123456789",
        delay: Double = 0
    ) -> Verdict {
        let sent = now
        wait(delay)
        let (verdict, changes) = lookup.responded(
            status, Self.section(fields), reason: Bytes("OK"), sent: sent, now: now)
        for change in changes { index.apply(change, now: now) }
        if case .pass(.some) = verdict {
            for change in lookup.bodyEnded(Bytes(body)) { index.apply(change, now: now) }
        }
        return verdict
    }

    /// Asks, and lets the origin answer if it is asked.
    @discardableResult
    mutating func fetch(
        _ request: CacheRequest, _ status: UInt16, _ fields: String,
        body: String = "0123456789", delay: Double = 0
    ) -> CacheLookup.Action {
        var (lookup, action) = begin(request)
        if case .forward = action {
            _ = respond(&lookup, status, fields, body: body, delay: delay)
        }
        return action
    }

    /// The same, with a 200.
    @discardableResult
    mutating func fetch(
        _ request: CacheRequest, _ fields: String, body: String = "0123456789", delay: Double = 0
    ) -> CacheLookup.Action {
        fetch(request, 200, fields, body: body, delay: delay)
    }

    /// What would be done with a request, in a word.
    func outcome(_ request: CacheRequest) -> String {
        let (lookup, action) = begin(request)
        let timeToLive = lookup.report.timeToLive ?? 0
        if case .answer(let answer, _) = action, !answer.response.isFresh(now) {
            return Self.word(action, isStale: timeToLive <= 0)
        }
        return Self.word(action)
    }

    static func word(_ action: CacheLookup.Action, isStale: Bool = false) -> String {
        switch action {
        case .askStore: "ask"
        case .refuse: "refuse"
        case .answer(let answer, let revalidate):
            (isStale ? word(answer).replacing("hit", with: "stale") : word(answer))
                + (revalidate ? "+revalidate" : "")
        case .forward(let fields):
            fields.contains { $0.name.hasPrefix("If-") } ? "validate" : "forward"
        }
    }

    static func word(_ verdict: Verdict) -> String {
        switch verdict {
        case .pass(nil): "pass"
        case .pass(.some): "pass+store"
        case .answer(let answer): word(answer)
        case .forward: "again"
        case .fail: "fail"
        }
    }

    static func word(_ answer: CacheAnswer) -> String {
        switch answer.form {
        case .whole: answer.status == 200 ? "hit" : "hit \(answer.status)"
        case .head: "head"
        case .notModified: "304"
        case .part(let range): "206 \(range.lowerBound)-\(range.upperBound - 1)"
        }
    }

    // MARK: Text

    /// Lines separated by `|`; `@60` stands for the date 60 seconds behind the start.
    private static func lines(_ text: String) -> [(String, String)] {
        text.split(separator: "|").map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            var value = String(parts[1].drop { $0 == " " })
            if value.hasPrefix("@"), let seconds = Int64(value.dropFirst()) {
                value = HTTPDate.text(start + seconds)
            }
            return (parts[0].trimmed, value.trimmed)
        }
    }

    static func section(_ text: String) -> FieldSection {
        var builder = FieldSectionBuilder()
        for (name, value) in lines(text) { builder.append(name, value) }
        return builder.build()
    }

    static func headers(_ text: String) -> Headers {
        do {
            return try Headers(lines(text))
        } catch {
            preconditionFailure("a row holds a field that may not be sent: \(error)")
        }
    }

    static func target(_ url: String) -> Target {
        do {
            return try Target(url)
        } catch {
            preconditionFailure("a row holds what is no URL: \(error)")
        }
    }
}

extension CacheRequest {
    init(
        _ method: String = "GET", _ url: String = "http://example.com/a", fields: String = "",
        defaults: String = "", partition: CachePartition = .open, mode: CacheMode = .standard
    ) {
        let parsed: Method
        do {
            parsed = try Method(method)
        } catch {
            preconditionFailure("a row holds what is no method: \(error)")
        }
        self.init(
            parsed, Rehearsal.target(url), Rehearsal.headers(fields),
            defaults: Rehearsal.headers(defaults), partition: partition, mode: mode)
    }
}

extension StringProtocol {
    /// Without blanks at its ends.
    var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

extension CacheRules {
    static var shared: CacheRules {
        var rules = CacheRules()
        rules.isShared = true
        return rules
    }

    static var heuristic: CacheRules {
        var rules = CacheRules()
        rules.heuristics = Heuristics()
        return rules
    }

    static func forced(_ seconds: Int64) -> CacheRules {
        var rules = CacheRules()
        rules.forcedLifetime = seconds
        return rules
    }
}
