// CacheLookup: what one request has to do with the cache, decided from what happens to it (RFC 9111
// section 4). A value, owned by the request's road; reactor thread. It reads no clock, touches no
// store and sends nothing: it says what to do.
//
//     ready ── begin ──────────▶ forwarded      the cache has no part in it, or may only store
//       │                           ▲ │
//       └── begin ──▶ asking ───────┘ │         nothing could be used; conditions may be added
//                        │            │
//                        ▼            ├─ a 304 that speaks of nothing stored: forwarded once more
//                     answered ◀──────┤         from the store: at once, after a 304, for an error
//                                     │
//                                     └──▶ passed          the origin's answer goes to the caller,
//                                                          and into the store if its body ends
//
// What happens in each state is in this file; what an origin's answer means is in
// CacheLookup+Responses.swift.

internal import FetchBytes
package import FetchHTTP
package import FetchTime

package struct CacheLookup: Sendable {
    package enum State: Equatable, Sendable {
        /// Nothing was asked. Can transition to `asking` and `forwarded`.
        case ready
        /// The store was asked. Can transition to `answered`, `forwarded` and `refused`.
        case asking
        /// The request is with the origin. Can transition to `answered`, `passed` and, once, to
        /// itself.
        case forwarded(Purpose)
        /// The caller got, or gets, a stored response. Final.
        case answered
        /// The caller gets the origin's answer. Final, but for its body's end.
        case passed
        /// The caller gets neither. Final.
        case refused
    }

    /// Why the request went to the origin.
    package enum Purpose: Equatable, Sendable {
        /// For an answer that is none of the cache's business.
        case unstored
        /// For an answer, which may be stored.
        case answer
        /// To validate what is stored, by its validators.
        case validation([CachedResponse])
    }

    /// What to do next.
    package enum Action: Equatable, Sendable {
        /// Ask what is stored under the request's key.
        case askStore
        /// Hand this to the caller; then, where `revalidate` says so, validate it in the
        /// background.
        case answer(CacheAnswer, revalidate: Bool)
        /// Send the request on with these fields added.
        case forward([FieldLine])
        /// Nothing stored can be used and the origin may not be asked: 504 where a field of the
        /// request said so, an error where the mode did.
        case refuse
    }

    package let request: CacheRequest
    package let rules: CacheRules
    package private(set) var state = State.ready
    /// What is stored under the key, as far as the store told.
    var stored: [CachedResponse] = []
    /// Of that, what the request selects, the most recent first.
    var selected: [CachedResponse] = []
    /// Whether a 304 had to be asked again without conditions.
    var wasRepeated = false
    /// What the answer that has come was asked for.
    var asked: Purpose?
    /// Set from the head on, until the body has ended.
    var storing: StoragePlan?
    /// How it came about; complete when the caller is answered.
    package internal(set) var report = CacheStatus(cache: "swift-fetch")
    /// Whether it validates in the background, for nobody.
    private let isBackground: Bool

    /// A request of a caller's.
    package init(_ request: CacheRequest, _ rules: CacheRules) {
        self.request = request
        self.rules = rules
        isBackground = false
    }

    /// The validation in the background of what was answered while stale.
    ///
    /// What is sent is the lookup's `request`: without the caller's conditions and directives.
    package init(
        revalidating used: CachedResponse, for request: CacheRequest, _ rules: CacheRules
    ) {
        self.request = request.forEverybody(keepingRange: !used.isWhole)
        self.rules = rules
        isBackground = true
    }

    /// A GET in standard mode for which nothing was stored, as `MemoryIndex.glance` said, and which
    /// has gone to the origin meanwhile. Worth making where `mayBeStored` says so.
    package init(missed request: CacheRequest, _ rules: CacheRules) {
        self.init(request, rules)
        state = .forwarded(.answer)
        report.forward = .uriMiss
    }

    /// Whether the answer to such a request could be stored, at a glance: most say nothing that a
    /// cache could go by.
    package static func mayBeStored(_ fields: FieldSection, _ rules: CacheRules) -> Bool {
        rules.heuristics != nil || rules.forcedLifetime != nil || rules.staleIfError > 0
            || !StorableFields(of: fields).isDisjoint(with: .reasons)
    }

    /// The head of an answer came and its body didn't: the same is asked once more.
    package mutating func askedAgain() {
        guard state == .passed, let asked else { return }
        state = .forwarded(asked)
        storing = nil
        report.detail = nil
    }

    // MARK: Events before the origin is asked

    /// The request begins.
    package mutating func begin() -> Action {
        if isOnlyFromStore, !mayAskStore {
            report.forward = .request
            return refuse()
        }
        guard request.mode != .noStore else {
            return forward(.unstored, .bypass, Self.noCacheLines(request))
        }
        guard request.mayBeAnswered else { return forward(.unstored, .method) }
        state = .asking
        return .askStore
    }

    /// The store has answered with all it has under the key; nothing where it failed.
    package mutating func storeAnswered(_ stored: [CachedResponse], now: Now) -> Action {
        self.stored = stored
        selected =
            stored.filter { $0.isSelected(by: request) }
            .sorted { $0.isMoreRecent(than: $1) }
        // What is stored answers neither, but the origin's answer may end its day.
        guard !isForOriginAlone else {
            return forward(
                .answer, .request, request.mode == .reload ? Self.noCacheLines(request) : [])
        }
        guard !stored.isEmpty else { return miss() }
        guard let (response, form) = candidate() else { return miss() }
        guard !isBackground else { return validate(response) }
        switch ReuseDecision(response, request, now: now) {
        case .fresh, .stale:
            return answer(response, form, revalidate: false, now)
        case .staleWhileRevalidate:
            // A caller who wants no request made gets none.
            return answer(response, form, revalidate: !request.control.onlyIfCached, now)
        case .validate(let reason):
            report.forward = reason
            return isOnlyFromStore ? refuse() : validate(response)
        }
    }

    /// Whether the method, the mode and the conditions leave anything to the store.
    private var mayAskStore: Bool {
        request.mayBeAnswered && request.mode != .noStore && !isForOriginAlone
    }

    /// Conditions that only the origin may evaluate (RFC 9111 section 4.3.2), and a caller who
    /// wants an answer of the origin's.
    private var isForOriginAlone: Bool {
        request.kinds.contains(.forOrigin) || request.mode == .reload
    }

    private var isOnlyFromStore: Bool {
        request.control.onlyIfCached || request.mode == .onlyIfCached
    }

    // MARK: Choosing

    /// The most recent stored response that has what is asked for, and how it would be given.
    private func candidate() -> (CachedResponse, CacheAnswer.Form)? {
        guard let range = request.range else {
            let whole = selected.first { $0.isWhole }
            return whole.map { ($0, form(of: $0)) }
        }
        for response in selected {
            if !Preconditions.holdsForRange(request, response) {
                if response.isWhole { return (response, form(of: response)) }
                continue
            }
            // Range is for 200; other statuses are what they are (RFC 9110 section 14.2).
            if response.isWhole, response.status != 200 { return (response, form(of: response)) }
            if let bytes = PartialContent.bytes(range, of: response) {
                let isKnown = Preconditions.isNotModified(request, response)
                return (response, isKnown ? .notModified : .part(bytes))
            }
        }
        return nil
    }

    private func form(of response: CachedResponse) -> CacheAnswer.Form {
        if Preconditions.isNotModified(request, response) { return .notModified }
        return request.method.isHead ? .head : .whole
    }

    // MARK: Acting

    private mutating func answer(
        _ response: CachedResponse, _ form: CacheAnswer.Form, revalidate: Bool, _ now: Now
    ) -> Action {
        state = .answered
        report.isHit = true
        report.forward = nil
        report.timeToLive = response.timeToLiveSeconds(now)
        return .answer(
            CacheAnswer(response, form, age: response.ageSeconds(now)), revalidate: revalidate)
    }

    private mutating func refuse() -> Action {
        state = .refused
        return .refuse
    }

    /// Nothing stored can be used as it is. Other variants are asked after by their strong tags:
    /// the origin may choose one of them for this request too (section 4.1).
    private mutating func miss() -> Action {
        guard !isOnlyFromStore else {
            report.forward = missReason
            return refuse()
        }
        let asksVariants = !stored.isEmpty && selected.isEmpty && mayAddConditions
        let variants = asksVariants ? taggedVariants : []
        guard !variants.isEmpty else { return forward(.answer, missReason, validationLines) }
        return forward(
            .validation(variants), missReason,
            Validation.tags(of: variants) + validationLines)
    }

    private var missReason: CacheStatus.Forward {
        if stored.isEmpty { return .uriMiss }
        return selected.isEmpty ? .varyMiss : .partial
    }

    private var taggedVariants: [CachedResponse] {
        guard request.isGet, request.range == nil else { return [] }
        let variants = stored.filter {
            $0.isWhole && $0.status == 200 && $0.entityTag.map { !$0.isWeak } ?? false
                && $0.facts.partition == request.partition
        }
        return Array(
            variants.sorted { $0.isMoreRecent(than: $1) }.prefix(Validation.mostTags))
    }

    /// Asks whether a selected response still holds. The caller's own conditions go as they are: a
    /// 304 is then for him. HEAD brings no content that a condition could save.
    private mutating func validate(_ response: CachedResponse) -> Action {
        let reason = report.forward ?? .stale
        guard mayAddConditions, request.isGet, Validation.canValidate(response) else {
            return forward(.answer, reason, validationLines)
        }
        return forward(
            .validation([response]), reason,
            Validation.conditions(for: response) + validationLines)
    }

    /// Whether the request says nothing that conditions of the cache's would contradict.
    private var mayAddConditions: Bool {
        request.kinds.isDisjoint(with: .conditions)
    }

    mutating func forward(
        _ purpose: Purpose, _ reason: CacheStatus.Forward, _ fields: [FieldLine] = []
    ) -> Action {
        state = .forwarded(purpose)
        report.forward = reason
        return .forward(fields)
    }

    /// The response of the origin, or a stored one in its place, is the caller's.
    mutating func end(_ ending: State) {
        state = ending
    }

    /// What the Fetch standard adds for a caller who wants validation, so that caches on the way
    /// do the same.
    var validationLines: [FieldLine] {
        guard request.mode == .noCache, !request.kinds.contains(.directives) else {
            return []
        }
        return [FieldLine("Cache-Control", "max-age=0")]
    }

    /// The same for one who wants nothing stored.
    private static func noCacheLines(_ request: CacheRequest) -> [FieldLine] {
        var lines: [FieldLine] = []
        if !request.headers.contains("Pragma") { lines.append(FieldLine("Pragma", "no-cache")) }
        if !request.headers.contains("Cache-Control") {
            lines.append(FieldLine("Cache-Control", "no-cache"))
        }
        return lines
    }
}

extension CachedResponse {
    /// Whole seconds of freshness that are left, negative for a stale response (RFC 9211).
    func timeToLiveSeconds(_ now: Now) -> Int64 {
        let left = timeToLive(now)
        return left >= 0 ? left / 1_000_000_000 : (left - 999_999_999) / 1_000_000_000
    }
}
