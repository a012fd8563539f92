// One name on its way through its candidates (resolver(5), `search`): which name is asked for next,
// and what is told of each family, when. A pure value, owned by the DNS client.
//
// The two families of a candidate are asked for at the same time and answered one by one. Addresses
// are told at once, because the address race has use for one family before the other; from then on
// the candidate is the name. Anything else waits for the other family's answer, for only both
// together say whether the next candidate is to be tried.

/// The life of one lookup.
package struct SearchedLookup: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// Neither family of the candidate is answered. Can transition to `half` and `found`.
        case asking
        /// One family gave no address. Can transition to `asking` (the next candidate) and `ended`.
        case half(AddressFamily, FamilyAnswer)
        /// One family gave addresses and was told. Can transition to `ended`.
        case found(AddressFamily)
        /// Both families were told. Final.
        case ended
    }

    package enum Action: Equatable, Sendable {
        /// Ask for both families of this name.
        case ask(String)
        /// Tell what is known of a family; the last that is said of it.
        case tell(AddressFamily, FamilyAnswer)
    }

    package private(set) var state = State.asking
    private var candidates: ArraySlice<String>
    /// What stood in the way of an earlier candidate: without it there might have been addresses.
    private var earlierFailure: FamilyAnswer?

    /// A lookup that asks for the first candidate; there must be one.
    package init(_ candidates: [String]) {
        precondition(!candidates.isEmpty, "a lookup needs a name")
        self.candidates = candidates[...]
    }

    /// The name that is being asked for.
    package var candidate: String { candidates.first ?? "" }

    /// A family of the candidate was answered; what is to be done about it, in order.
    package mutating func answered(_ family: AddressFamily, _ answer: FamilyAnswer) -> [Action] {
        switch state {
        case .asking:
            if answer.hasAddresses {
                state = .found(family)
                return [.tell(family, answer)]
            }
            state = .half(family, answer)
            return []
        case .half(let other, let before):
            // The same family twice is a mistake of who answers, and changes nothing.
            guard family != other else { return [] }
            if !answer.hasAddresses, let next = tryNext(after: before, answer) {
                return [.ask(next)]
            }
            state = .ended
            return [.tell(other, final(before)), .tell(family, final(answer))]
        case .found(let other):
            guard family != other else { return [] }
            state = .ended
            return [.tell(family, answer)]
        case .ended:
            return []
        }
    }

    /// The next candidate, if both answers allow to go on: there is nothing, or the server of that
    /// domain failed. Silence ends the search, or each domain would cost its own wait.
    private mutating func tryNext(after one: FamilyAnswer, _ other: FamilyAnswer) -> String? {
        guard Self.letsGoOn(one), Self.letsGoOn(other), candidates.count > 1 else { return nil }
        if earlierFailure == nil { earlierFailure = [one, other].first { $0.isFailure } }
        candidates.removeFirst()
        state = .asking
        return candidate
    }

    private static func letsGoOn(_ answer: FamilyAnswer) -> Bool {
        switch answer {
        case .nothing, .failed(.serverFailure, _): true
        case .addresses, .failed: false
        }
    }

    /// That the last candidate does not exist says nothing while an earlier one is unknown.
    private func final(_ answer: FamilyAnswer) -> FamilyAnswer {
        if case .nothing = answer, let earlierFailure { return earlierFailure }
        return answer
    }
}
