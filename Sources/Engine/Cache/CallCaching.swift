// What the cache knows of one call: what was decided, and what is to be stored of the answer. An
// object, because most calls have none. Owned by the call; reactor thread.

internal import FetchBytes
internal import FetchCache
internal import FetchHTTP

/// What a call has to do with the client's cache.
enum CacheUse {
    /// Nothing.
    case none
    /// Its method is unsafe: an answer may make stored responses doubtful.
    case invalidates
    /// Nothing was stored for it, as a glance told; its answer may be.
    case missed
    /// `CallCaching` knows.
    case looked
}

/// What the bodies that are collected take together, at most as much as the memory may hold.
final class CollectingBudget {
    private let bytes: Int
    private var taken = 0

    init(bytes: Int) {
        self.bytes = bytes
    }

    /// No body of this length fits, however empty it is.
    func couldHold(_ count: Int) -> Bool { count <= bytes }

    func take(_ count: Int) -> Bool {
        guard count <= bytes - taken else { return false }
        taken += count
        return true
    }

    func giveBack(_ count: Int) { taken -= count }
}

final class CallCaching {
    /// What takes the place of an origin's answer.
    enum Ending {
        /// A stored response.
        case answer(CacheAnswer)
        /// The answer to the same request with these fields.
        case again([FieldLine])
    }

    var lookup: CacheLookup
    /// What the caller asked, before fields of the cache's were added.
    let asked: CallDetails?
    /// Set while an origin's answer is dropped.
    var ending: Ending?
    /// The bytes of body that are stored at most; nil where nothing of the answer is.
    var collects: Int?
    /// What came of a streamed body. It grows no longer than it may.
    private(set) var body: [UInt8] = []
    private var budget: CollectingBudget?
    /// What it validates for nobody in particular: the key's hash.
    let validates: UInt64?
    /// The store's answer, where it came before the question had returned.
    var found: [CachedResponse]?
    /// The store was asked and hasn't answered.
    var isAsking = false

    init(_ lookup: CacheLookup, _ asked: CallDetails?, validates: UInt64? = nil) {
        self.lookup = lookup
        self.asked = asked
        self.validates = validates
    }

    deinit { budget?.giveBack(body.count) }

    /// The head of an answer decides anew what becomes of its body.
    func begin(collecting most: Int?, within budget: CollectingBudget? = nil) {
        self.budget?.giveBack(body.count)
        body = []
        collects = most
        self.budget = budget
    }

    /// The head came and its body didn't, or wasn't wanted: the same is asked once more.
    func beginAgain() {
        begin(collecting: nil)
        lookup.askedAgain()
    }

    /// Keeps a piece of a streamed body, or gives it up where it is longer than what is stored.
    func collect(_ piece: Bytes, expecting length: Int?) {
        guard let collects else { return }
        guard body.count + piece.count <= collects, budget?.couldHold(length ?? 0) ?? true,
            budget?.take(piece.count) ?? true
        else {
            begin(collecting: nil)
            return
        }
        // A peer's word for more than this is believed when it comes.
        if body.isEmpty, let length { body.reserveCapacity(min(length, collects, 1 << 20)) }
        body.append(copying: piece.span)
    }

    /// All of the streamed body.
    func takeBody() -> Bytes {
        var taken: [UInt8] = []
        budget?.giveBack(body.count)
        swap(&taken, &body)
        return Bytes(taken)
    }

    /// How the cache came to the answer.
    var outcome: CacheOutcome {
        let report = lookup.report
        switch lookup.state {
        case .answered:
            if report.detail != nil { return .stale }
            guard report.isHit else { return .revalidated }
            return report.timeToLive ?? 0 < 0 ? .stale : .hit
        case .ready, .asking, .forwarded, .passed, .refused:
            return report.forward == .bypass || report.forward == .method ? .bypass : .miss
        }
    }
}
