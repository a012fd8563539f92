// What an origin's answer means to the cache (RFC 9111 sections 3, 4.3.3 to 4.4; RFC 5861 section
// 4).

package import FetchBytes
package import FetchHTTP
package import FetchTime

/// A change to what is stored.
package enum CacheChange: Equatable, Sendable {
    /// Store this; the others are then superseded.
    case store(CachedResponse, superseding: [CachedResponse])
    /// Put one in the other's place.
    case replace(CachedResponse, with: CachedResponse)
    case remove(CachedResponse)
    /// Forget everything that is stored for this URI, for whomever.
    case invalidate(Target)
}

/// What to do with an origin's answer.
package enum Verdict: Equatable, Sendable {
    /// Hand it to the caller. With `collect`: report its body, too, when it has ended, unless it
    /// grows beyond so many bytes.
    case pass(collect: Int?)
    /// Drop it and hand this to the caller.
    case answer(CacheAnswer)
    /// Drop it and send the request once more, with these fields added.
    case forward([FieldLine])
    /// There was none: hand the error to the caller.
    case fail
}

/// What was decided at a response's head about its body.
struct StoragePlan: Sendable {
    var response: ResponseFacts
    var reason: Bytes
    var times: ResponseTimes
    var superseded: [CachedResponse]
    var onlyInMemory: Bool
}

extension CacheLookup {
    /// A final response's head has come.
    ///
    /// - Parameters:
    ///   - sent: when the request went out.
    ///   - now: when the head came.
    ///   - bodyBytes: the body's length, where the head says it.
    /// - Returns: what to do with it, and what changes in the store, at once.
    package mutating func responded(
        _ status: UInt16, _ fields: FieldSection, reason: Bytes = Bytes(), sent: Now, now: Now,
        bodyBytes: Int? = nil
    ) -> (verdict: Verdict, changes: [CacheChange]) {
        guard case .forwarded(let purpose) = state else { return (.pass(collect: nil), []) }
        asked = purpose
        let changes = Invalidation.targets(request.method, request.target, status, fields)
            .map { CacheChange.invalidate($0) }
        guard purpose != .unstored else {
            end(.passed)
            return (.pass(collect: nil), changes)
        }
        let response = ResponseFacts(status, fields, received: now.wall.seconds)
        let times = ResponseTimes(request: sent, response: now)
        if status == 304 { return notModified(purpose, response, times) }
        if Self.isServerError(status), let answer = standIn(now) {
            report.forwardStatus = status
            return (.answer(answer), [])
        }
        end(.passed)
        if request.method.isHead { return (.pass(collect: nil), headAnswered(response, times)) }
        let plan = StoragePlan(
            response: response, reason: reason, times: times, superseded: [], onlyInMemory: false)
        return store(plan, bodyBytes)
    }

    /// No answer came: the origin can't be reached, or broke off before its head had ended.
    package mutating func failed(now: Now) -> Verdict {
        guard case .forwarded = state, let answer = standIn(now) else {
            end(.refused)
            return .fail
        }
        return .answer(answer)
    }

    /// The body of a response that was to be collected has ended, whole.
    ///
    /// - Returns: what changes in the store; nothing where the body isn't what the head said.
    package mutating func bodyEnded(_ body: Bytes) -> [CacheChange] {
        guard let plan = storing.take() else { return [] }
        guard body.count <= rules.mostBodyBytes else { return plan.superseded.map { .remove($0) } }
        guard plan.response.status != 206 else { return partEnded(plan, body) }
        let made = CachedResponse(
            request, plan.response, reason: plan.reason, body: body, plan.times, rules,
            selectedBy: vary(plan.response), onlyInMemory: plan.onlyInMemory)
        report.isStored = true
        return [.store(made, superseding: plan.superseded)]
    }

    /// The body that was to be collected is longer than what is stored, and has ended: what it was
    /// to take the place of has had its day.
    package mutating func bodyOutgrown() -> [CacheChange] {
        storing.take()?.superseded.map { .remove($0) } ?? []
    }

    // MARK: 304

    private mutating func notModified(
        _ purpose: Purpose, _ response: ResponseFacts, _ times: ResponseTimes
    ) -> (Verdict, [CacheChange]) {
        guard case .validation(let nominated) = purpose else {
            // The caller's own condition was met: the 304 is his. What is stored may be the same.
            let identified = Validation.identified(by: response, nominated: [], selected: selected)
            end(.passed)
            return (.pass(collect: nil), identified.flatMap { freshened($0, response, times).1 })
        }
        let identified = Validation.identified(
            by: response, nominated: nominated, selected: selected)
        guard let chosen = identified.first(where: nominated.contains) else {
            return (repeatWithoutConditions(), [])
        }
        var changes: [CacheChange] = []
        for other in identified where other != chosen {
            changes += freshened(other, response, times).1
        }
        let (updated, change) = freshened(chosen, response, times)
        report.forwardStatus = 304
        end(.answered)
        let now = times.response
        report.timeToLive = updated.timeToLiveSeconds(now)
        // What may not be kept is this caller's all the same.
        let whole =
            response.control.noCacheFields.isEmpty
            ? updated
            : chosen.updated(by: response, times, rules, selectedBy: request, forCaller: true)
        let answer = CacheAnswer(whole, form(of: whole), age: updated.ageSeconds(now))
        return (.answer(answer), changes + change)
    }

    private func form(of updated: CachedResponse) -> CacheAnswer.Form {
        guard let range = request.range, let bytes = PartialContent.bytes(range, of: updated)
        else { return .whole }
        return .part(bytes)
    }

    /// A 304 that speaks of nothing that was asked after is no answer. The origin is asked for
    /// a whole one, once: without conditions, a second 304 is its answer.
    private mutating func repeatWithoutConditions() -> Verdict {
        guard !wasRepeated else {
            end(.passed)
            return .pass(collect: nil)
        }
        wasRepeated = true
        let action = forward(.answer, report.forward ?? .stale, validationLines)
        guard case .forward(let fields) = action else { return .fail }
        return .forward(fields)
    }

    /// A stored response as a newer head changes it, and what that changes in the store. One that
    /// the request doesn't select is stored for this request, too: of the one for which it was
    /// stored the head says nothing.
    private func freshened(
        _ old: CachedResponse, _ newer: ResponseFacts, _ times: ResponseTimes
    ) -> (CachedResponse, [CacheChange]) {
        let updated = old.updated(by: newer, times, rules, selectedBy: request)
        // Not even the time at which it was found to hold may be kept.
        guard !request.control.noStore else { return (updated, []) }
        let isSelected = old.isSelected(by: request)
        let facts = ResponseFacts(
            updated.status, updated.fields, received: times.response.wall.seconds)
        let decision = StorageDecision(
            request.asGet, facts, updated.freshness, bodyBytes: updated.body.count, rules)
        guard case .store(let onlyInMemory) = decision else {
            return (updated, isSelected ? [.remove(old)] : [])
        }
        // The newer head may have brought a cookie.
        let kept = onlyInMemory ? updated.keptInMemory : updated
        return (
            updated,
            [isSelected ? .replace(old, with: kept) : .store(kept, superseding: [])]
        )
    }

    // MARK: Errors

    private static func isServerError(_ status: UInt16) -> Bool {
        [500, 502, 503, 504].contains(status)
    }

    /// A stored response in the place of an error, where one may be used.
    private mutating func standIn(_ now: Now) -> CacheAnswer? {
        guard request.kinds.isDisjoint(with: .conditions),
            let (response, form) = standInCandidate(),
            ReuseDecision.standsIn(response, request, now: now)
        else { return nil }
        end(.answered)
        report.isHit = true
        report.detail = "stale-if-error"
        report.timeToLive = response.timeToLiveSeconds(now)
        return CacheAnswer(response, form, age: response.ageSeconds(now))
    }

    private func standInCandidate() -> (CachedResponse, CacheAnswer.Form)? {
        guard let range = request.range else {
            return selected.first { $0.isWhole }
                .map { ($0, request.method.isHead ? .head : .whole) }
        }
        for response in selected {
            if let bytes = PartialContent.bytes(range, of: response) {
                return (response, .part(bytes))
            }
        }
        return nil
    }

    // MARK: HEAD

    /// Section 4.3.5: what is stored of GET is as the answer to HEAD says, or it is stale.
    private func headAnswered(
        _ response: ResponseFacts, _ times: ResponseTimes
    ) -> [CacheChange] {
        guard response.status == 200, !request.control.noStore else { return [] }
        return selected.filter { $0.status == 200 && $0.isWhole }.flatMap { old in
            Validation.describes(response, old)
                ? freshened(old, response, times).1 : [.remove(old)]
        }
    }

    // MARK: Storing

    /// What chose a response among those of its URI. Some resources leave Vary out of one of their
    /// variants: then what the most recent other one says counts (section 4.1).
    private func vary(_ response: ResponseFacts) -> VaryField {
        guard response.vary == .nothing else { return response.vary }
        let others = stored.filter { !$0.selectingBytes.isEmpty && !selected.contains($0) }
        return others.max { $1.isMoreRecent(than: $0) }.map { VaryField($0.fields) } ?? .nothing
    }

    private mutating func store(
        _ plan: StoragePlan, _ bodyBytes: Int?
    ) -> (Verdict, [CacheChange]) {
        let response = plan.response
        let freshness = Freshness(response, plan.times, rules)
        let decision = StorageDecision(request, response, freshness, bodyBytes: bodyBytes, rules)
        switch decision {
        case .store(let onlyInMemory):
            storing = plan
            storing?.onlyInMemory = onlyInMemory
            if response.status != 206 { storing?.superseded = selected }
            return (.pass(collect: rules.mostBodyBytes), [])
        case .refuse(let refusal):
            report.detail = refusal.rawValue
            guard refusal != .requestNoStore, Self.isSaidOfResource(response.status) else {
                return (.pass(collect: nil), [])
            }
            // One that is only too large may be the very one of which a part is stored.
            let old = selected.filter { refusal != .tooLarge || !$0.isOfSameBytes(response) }
            return (.pass(collect: nil), old.map { .remove($0) })
        }
    }

    /// Whether a response that isn't stored shows that what is stored has had its day. A failure, a
    /// refusal and a part say nothing of the kind.
    private static func isSaidOfResource(_ status: UInt16) -> Bool {
        switch status {
        case 206: false
        case 200..<400, 404, 410: true
        default: false
        }
    }

    /// A part joins those that are there. One of a whole that is stored brings that up to date; one
    /// of another version shows that what is stored is old.
    private mutating func partEnded(_ plan: StoragePlan, _ body: Bytes) -> [CacheChange] {
        var changes: [CacheChange] = []
        var isOfWhole = false
        for old in selected {
            // Without a strong tag it says nothing of others.
            guard plan.response.entityTag.map({ !$0.isWeak }) ?? false else { break }
            guard old.isOfSameBytes(plan.response) else {
                changes.append(.remove(old))
                continue
            }
            if old.isWhole, old.status == 200 {
                isOfWhole = true
                // Whoever gets its length wrong is not believed in anything else.
                guard PartialContent.fits(plan.response, body, into: old) else { continue }
                changes += freshened(old, plan.response, plan.times).1
            }
        }
        guard !isOfWhole,
            let (made, superseded) = PartialContent.stored(
                request, plan.response, body, with: selected, plan.times, rules,
                onlyInMemory: plan.onlyInMemory)
        else { return changes }
        report.isStored = true
        return changes + [.store(made, superseding: superseded)]
    }
}

extension CacheRequest {
    /// HEAD asks about what GET would get, and what is stored is the latter.
    fileprivate var asGet: CacheRequest {
        CacheRequest(
            .get, target, headers, defaults: defaults, partition: partition,
            isIdentified: isIdentified, mode: mode)
    }
}
