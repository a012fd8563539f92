// Both families of a name, as they come in: what they say together, and for how long. A pure value,
// one for each name that is being asked for.

internal import FetchTime

struct FamilyAnswers: Equatable, Sendable {
    private(set) var ipv6: FamilyAnswer?
    private(set) var ipv4: FamilyAnswer?
    /// When the first record that came is to be forgotten.
    private var expiry = Instant.distantFuture

    var areComplete: Bool { ipv6 != nil && ipv4 != nil }

    subscript(family: AddressFamily) -> FamilyAnswer? { family == .ipv6 ? ipv6 : ipv4 }

    /// Notes a family's answer; false if it was answered before.
    mutating func take(
        _ family: AddressFamily, _ answer: FamilyAnswer, now: Instant, _ settings: NameSettings
    ) -> Bool {
        guard self[family] == nil else { return false }
        if family == .ipv6 { ipv6 = answer } else { ipv4 = answer }
        if case .addresses(_, let seconds) = answer {
            let lifetime = min(Int64(seconds) * 1_000_000_000, settings.lifetimeMost)
            expiry = min(expiry, now.adding(nanoseconds: lifetime))
        }
        return true
    }

    /// The addresses of a family, none if there are none.
    func addresses(_ family: AddressFamily) -> [SocketAddress.Host] {
        if case .addresses(let hosts, _) = self[family] { hosts } else { [] }
    }

    /// Why there is no address; nil if there is one. A family that is not known weighs more than
    /// one that has nothing, and a name that exists more than one that does not.
    func error(of name: String) -> NameError? {
        guard addresses(.ipv6).isEmpty, addresses(.ipv4).isEmpty else { return nil }
        var fact = NameError.Fact.noSuchName
        var refusals: [NameError.Refusal] = []
        for answer in [ipv6, ipv4] {
            switch answer {
            case .failed(let failure, let said):
                if refusals.isEmpty, !isFailure(fact) { fact = failure }
                for refusal in said where !refusals.contains(refusal) { refusals.append(refusal) }
            case .nothing(noSuchName: false, _):
                if fact == .noSuchName { fact = .noAddresses }
            case .nothing, .addresses, nil:
                break
            }
        }
        return NameError(fact, of: name, refusals: refusals)
    }

    private func isFailure(_ fact: NameError.Fact) -> Bool {
        fact != .noSuchName && fact != .noAddresses
    }

    /// What is to be remembered, and until when; nil for a failure. A name that has one family is
    /// remembered as long as that family's records hold, whatever is said of the other one: unless
    /// the other one's servers failed, which may soon be over.
    func memory(now: Instant, _ settings: NameSettings) -> (CachedName, Instant)? {
        let soon = now.adding(nanoseconds: settings.negativeLifetime)
        let known = CachedName(ipv6: addresses(.ipv6), ipv4: addresses(.ipv4))
        let isHalfKnown = [ipv6, ipv4].contains { $0?.isFailure ?? true }
        if !known.ipv6.isEmpty || !known.ipv4.isEmpty {
            return (known, isHalfKnown ? min(expiry, soon) : expiry)
        }
        guard !isHalfKnown, let fact = error(of: "")?.fact else { return nil }
        var until = soon
        for case .nothing(_, let seconds?) in [ipv6, ipv4] {
            until = min(until, now.adding(nanoseconds: Int64(seconds) * 1_000_000_000))
        }
        return (CachedName(fact: fact), until)
    }
}
