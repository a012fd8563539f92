// Every combination of directives, held against a model that is slow and simple: it makes the set
// of ages at which a response may be used, rule by rule, and looks whether the age is in it.

import FetchBytes
import FetchCache
import FetchHTTP
import Testing

/// What a response and a request say, in whole seconds.
private struct Case {
    var maxAge: Int?
    var sMaxAge: Int?
    var noCache = false
    var mustRevalidate = false
    var proxyRevalidate = false
    var staleWhileRevalidate: Int?
    var staleIfError: Int?
    var isShared = false
    var asked = Asked()

    struct Asked {
        var maxAge: Int?
        var minFresh: Int?
        /// −1 for one without argument.
        var maxStale: Int?
        var noCache = false
        var onlyIfCached = false
        var staleIfError: Int?
    }

    static let ages = 0...130

    var lifetime: Int { (isShared ? sMaxAge : nil) ?? maxAge ?? 0 }

    var forbidsStale: Bool {
        mustRevalidate || (isShared && (proxyRevalidate || sMaxAge != nil))
    }

    /// Ages at which it is fresh, and the caller has nothing against it.
    var usable: Set<Int> {
        var ages = Set(Self.ages.filter { $0 < lifetime })
        if let limit = asked.maxAge { ages.subtract(Self.ages.filter { $0 > limit }) }
        // Nothing is younger than no time at all.
        if asked.maxAge == 0 { ages = [] }
        if let rest = asked.minFresh { ages.subtract(Self.ages.filter { lifetime - $0 < rest }) }
        return noCache || asked.noCache ? [] : ages
    }

    /// Ages at which it is older than it should be, and the caller has said that it may be.
    var usableWhenOld: Set<Int> {
        guard let maxStale = asked.maxStale, !noCache, !asked.noCache else { return [] }
        var ages = Set(Self.ages)
        if maxStale >= 0 {
            ages.subtract(Self.ages.filter { $0 > lifetime + maxStale })
            if let limit = asked.maxAge {
                ages.subtract(Self.ages.filter { $0 > limit + maxStale })
                if limit == 0, maxStale == 0 { ages = [] }
            }
        }
        if let rest = asked.minFresh { ages.subtract(Self.ages.filter { lifetime - $0 < rest }) }
        if forbidsStale { ages.subtract(Self.ages.filter { $0 >= lifetime }) }
        return ages
    }

    /// Ages at which it is stale and may be used while it is validated.
    var usableMeanwhile: Set<Int> {
        guard let window = staleWhileRevalidate, !forbidsStale, !noCache, !asked.noCache,
            asked.minFresh == nil, asked.maxAge != 0
        else { return [] }
        return Set(Self.ages.filter { $0 >= lifetime && $0 < lifetime + window })
            .subtracting(Self.ages.filter { $0 > asked.maxAge ?? .max })
    }

    /// Ages at which it may stand in for an error.
    var usableForErrors: Set<Int> {
        guard !noCache else { return [] }
        var ages = Set(Self.ages)
        if forbidsStale { ages.subtract(Self.ages.filter { $0 > lifetime }) }
        if let window = asked.staleIfError {
            return ages.filter { $0 <= lifetime + max(window, staleIfError ?? 0) }
        }
        guard let window = staleIfError, window > 0, !asked.noCache, asked.minFresh == nil else {
            return []
        }
        return ages.filter { $0 <= lifetime + window && $0 <= asked.maxAge ?? .max }
    }

    func outcome(_ age: Int) -> String {
        if usable.contains(age) { return "hit" }
        if usableWhenOld.contains(age) { return age < lifetime ? "hit" : "stale" }
        if usableMeanwhile.contains(age) {
            return asked.onlyIfCached ? "stale" : "stale+revalidate"
        }
        return asked.onlyIfCached ? "refuse" : "validate"
    }

    // MARK: As fields

    var responseFields: String {
        let directives = [
            maxAge.map { "max-age=\($0)" }, sMaxAge.map { "s-maxage=\($0)" },
            noCache ? "no-cache" : nil, mustRevalidate ? "must-revalidate" : nil,
            proxyRevalidate ? "proxy-revalidate" : nil,
            staleWhileRevalidate.map { "stale-while-revalidate=\($0)" },
            staleIfError.map { "stale-if-error=\($0)" },
        ].compactMap { $0 }.joined(separator: ", ")
        return "Cache-Control: \(directives)|ETag: \"a\""
    }

    var requestFields: String {
        let directives = [
            asked.maxAge.map { "max-age=\($0)" }, asked.minFresh.map { "min-fresh=\($0)" },
            asked.maxStale.map { $0 < 0 ? "max-stale" : "max-stale=\($0)" },
            asked.noCache ? "no-cache" : nil, asked.onlyIfCached ? "only-if-cached" : nil,
            asked.staleIfError.map { "stale-if-error=\($0)" },
        ].compactMap { $0 }.joined(separator: ", ")
        return directives.isEmpty ? "" : "Cache-Control: \(directives)"
    }

    var rules: CacheRules { isShared ? .shared : CacheRules() }

    static var responses: [Case] {
        var cases: [Case] = []
        for maxAge in [nil, 0, 10, 100] {
            for bits in 0..<8 {
                for (isShared, sMaxAge, proxy) in [
                    (false, nil, false), (false, 30, true), (true, nil, false),
                    (true, nil, true), (true, 30, false),
                ] {
                    cases.append(
                        Case(
                            maxAge: maxAge, sMaxAge: sMaxAge, noCache: bits & 1 != 0,
                            mustRevalidate: bits & 2 != 0, proxyRevalidate: proxy,
                            staleWhileRevalidate: bits & 4 != 0 ? 20 : nil, isShared: isShared))
                }
            }
        }
        return cases
    }

    static var requests: [Asked] {
        var all: [Asked] = []
        for maxAge in [nil, 0, 5, 50] {
            for minFresh in [nil, 0, 5] {
                for maxStale in [nil, -1, 0, 15] {
                    for bits in 0..<4 {
                        all.append(
                            Asked(
                                maxAge: maxAge, minFresh: minFresh, maxStale: maxStale,
                                noCache: bits & 1 != 0, onlyIfCached: bits & 2 != 0))
                    }
                }
            }
        }
        return all
    }
}

struct ReferenceModelTests {
    private static let ages = [0, 4, 5, 6, 10, 11, 29, 30, 31, 49, 50, 51, 65, 100, 115, 120]

    private func stored(_ fields: String, _ rules: CacheRules) -> [CachedResponse] {
        var rehearsal = Rehearsal(rules)
        rehearsal.fetch(CacheRequest(), fields)
        return rehearsal.index.stored(under: CacheRequest().key)
    }

    private func word(
        _ stored: [CachedResponse], _ request: CacheRequest, _ rules: CacheRules, _ age: Int
    ) -> String {
        let now = Rehearsal.time(Double(age))
        var lookup = CacheLookup(request, rules)
        var action = lookup.begin()
        if action == .askStore { action = lookup.storeAnswered(stored, now: now) }
        return Rehearsal.word(action, isStale: stored.first.map { !$0.isFresh(now) } ?? false)
    }

    @Test func `every combination of directives is judged as the model judges it`() {
        var judged = 0
        let requests = Case.requests.map { asked in
            var one = Case()
            one.asked = asked
            return (asked, CacheRequest(fields: one.requestFields))
        }
        for response in Case.responses {
            let stored = stored(response.responseFields, response.rules)
            for (asked, request) in requests {
                var one = response
                one.asked = asked
                let (usable, whenOld) = (one.usable, one.usableWhenOld)
                let meanwhile = one.usableMeanwhile
                for age in Self.ages {
                    judged += 1
                    let found = word(stored, request, response.rules, age)
                    // The sets are made once for all ages; `outcome` makes them each time.
                    let isOpen = !usable.contains(age) && !whenOld.contains(age)
                    let expected =
                        isOpen && !meanwhile.contains(age)
                        ? (asked.onlyIfCached ? "refuse" : "validate")
                        : isOpen
                            ? (asked.onlyIfCached ? "stale" : "stale+revalidate")
                            : age < one.lifetime ? "hit" : "stale"
                    guard found != expected else { continue }
                    Issue.record(
                        "\(one.responseFields) | \(one.requestFields) | \(age): \(found)"
                    )
                    return
                }
            }
        }
        #expect(judged == 160 * 192 * 16)
    }

    @Test func `every combination is judged the same way for an error`() {
        for var response in Case.responses {
            for window in [nil, 0, 20] {
                response.staleIfError = window
                let stored = stored(response.responseFields, response.rules)
                for var asked in [
                    Case.Asked(), .init(maxAge: 5), .init(minFresh: 0), .init(noCache: true),
                ] {
                    for wanted in [nil, 5] {
                        asked.staleIfError = wanted
                        response.asked = asked
                        judge(response, stored)
                    }
                }
            }
        }
    }

    private func judge(_ one: Case, _ stored: [CachedResponse]) {
        let request = CacheRequest(fields: one.requestFields)
        let allowed = one.usableForErrors
        for age in Self.ages where one.outcome(age) == "validate" {
            let now = Rehearsal.time(Double(age))
            var lookup = CacheLookup(request, one.rules)
            _ = lookup.begin()
            _ = lookup.storeAnswered(stored, now: now)
            let stoodIn = Rehearsal.word(lookup.failed(now: now)) == "hit"
            guard stoodIn != allowed.contains(age) else { continue }
            Issue.record("\(one.responseFields) / \(one.requestFields) / \(age): \(stoodIn)")
            return
        }
    }

    @Test func `modes overrule every combination`() {
        for (mode, expected) in [
            (CacheMode.noStore, "forward"), (.reload, "forward"), (.noCache, nil),
            (.forceCache, "used"), (.onlyIfCached, "used"),
        ] {
            let requests = Case.requests.map { asked in
                var one = Case()
                one.asked = asked
                return CacheRequest(fields: one.requestFields, mode: mode)
            }
            for response in Case.responses {
                let stored = stored(response.responseFields, response.rules)
                for request in requests {
                    let isAlone = request.control.onlyIfCached
                    for age in [0, 31] {
                        let used = age < response.lifetime ? "hit" : "stale"
                        let sent = isAlone ? "refuse" : expected ?? "validate"
                        let expected = expected == "used" ? used : sent
                        let found = word(stored, request, response.rules, age)
                        guard found != expected else { continue }
                        Issue.record("\(mode) \(response.responseFields): \(found)")
                        return
                    }
                }
            }
        }
    }
}
