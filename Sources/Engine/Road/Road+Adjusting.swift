// Limits that change while the client runs: those who wait hear of it at once, and ask again.

internal import FetchPolicy
internal import FetchReactor
internal import FetchTime

extension Road {
    /// The whole client's limit from now on; nothing where none was configured.
    func limitClient(to limit: RateLimit?) {
        guard settings.policies.clientLimit != nil else { return }
        reactor.refreshNow()
        policies.admission.adjust(limit, now: reactor.now)
        askAgain()
    }

    /// Each domain's limit from now on, but for hosts with one of their own; nothing where none was
    /// configured.
    func limitDomains(to limit: RateLimit?) {
        guard settings.policies.domainLimit != nil else { return }
        reactor.refreshNow()
        policies.admission.domains.adjust(limit, now: reactor.now)
        askAgain()
    }

    /// When those who wait may go is another time now, and it may be earlier.
    private func askAgain() {
        for record in origins.records {
            guard let origin = record.policies else { continue }
            origin.stopWaking(on: reactor)
            capacityFreed(record)
        }
    }
}
