// All that is kept of one origin (RFC 6454), found once per request: its part of the pool and the
// requests that wait. Policies of an origin hang off this record and nowhere else. Owned by the
// table; reactor thread.

package import FetchHTTP
internal import FetchHTTP1
internal import FetchPolicy
internal import FetchReactor
internal import FetchTLS
internal import FetchTransport

package final class OriginRecord {
    /// Any target of this origin; tells scheme, host and port.
    package let target: Target
    /// What the requests asked of TLS in place of what the client says: part of the key.
    let tls: TLSChoice?
    /// Made ready with the first connection.
    var tlsContext: TLSContext?
    @ThreadBound var pool: OriginPool
    /// For the parsers of its connections.
    @ThreadBound var rememberedHead = RememberedHead()

    /// Calls for which a connection is being opened, oldest first. They came before all of
    /// `waiting`, and a connection that comes free is theirs first.
    @ThreadBound var dialing = WaitingLine<Call>()
    /// Calls that wait for what they need to go: the urgent first, then the oldest.
    @ThreadBound var waiting: PriorityLine<Call>
    /// Nil where no policy is switched on.
    var policies: OriginPolicies? { didSet { lentPolicies = policies.map { Uncounted($0) } } }
    /// The same, not counted: the record keeps them.
    private(set) var lentPolicies: Uncounted<OriginPolicies>?
    /// Its place among the records that nobody uses and that still know something.
    var restingTicket: WaitingTicket?
    /// The origin's place among those that wait for room under the client's cap.
    var starvedTicket: WaitingTicket?
    /// Looked at in this round of serving, and in vain.
    var isKeptOut = false
    /// Known once and kept while the record lives: literals and overrides don't change.
    var destination: Destination?

    package init(
        _ target: Target, tls: TLSChoice? = nil, connections: Int? = nil,
        ageing: Int64 = PriorityLine<Int>.defaultAgeingNanoseconds
    ) {
        self.target = target
        self.tls = tls
        pool = OriginPool(limit: connections)
        waiting = PriorityLine(ageingNanoseconds: ageing)
    }

    deinit {
        _pool.deallocate()
        _rememberedHead.deallocate()
        _dialing.deallocate()
        _waiting.deallocate()
    }

    /// Calls on their way, wherever they stand.
    var calls = 0
    /// In the table, until it is forgotten.
    var isTracked = true
    /// Marked for `settle`: something came free and somebody waits.
    var isUnsettled = false

    var waiters: Int { dialing.count + waiting.count }

    /// Nothing here but history: the record may go.
    var isUnused: Bool { pool.connections == 0 && calls == 0 }

    /// Only connections that nobody uses stand in the way of letting the record go.
    var isIdle: Bool { pool.connecting == 0 && pool.active == 0 && calls == 0 }

    /// The first in line who may have a connection that was used before.
    var firstForAnyConnection: Call? {
        dialing.first { !$0.wantsFresh } ?? waiting.first { !$0.wantsFresh }
    }
}
