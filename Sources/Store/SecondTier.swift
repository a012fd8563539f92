// SecondTier: what stands behind the memory: a file, or a store of the caller's own. Reactor
// thread; nothing here blocks, and every answer comes as a call.

package import FetchCache
package import FetchHTTP

package protocol SecondTier: AnyObject {
    /// Whether a look-up could find anything for a target; where it couldn't, none need be made.
    func mayHold(_ target: Target) -> Bool
    /// Looks up what is stored under a key. Answered once, later in this turn at the earliest; with
    /// nothing where the tier can't be reached, or has to be done without.
    func find(_ key: CacheKey, _ answer: @escaping ([CachedResponse]) -> Void)
    func store(_ response: CachedResponse)
    /// The same body under newer fields.
    func replace(_ old: CachedResponse, with new: CachedResponse)
    func remove(_ response: CachedResponse)
    func purge(_ purge: CachePurge)
    /// Nothing is asked any more; what waits for an answer gets nothing. `whenDone` is told when
    /// nothing is held open any more: at once, or later, or never where the reactor ends before.
    func end(_ whenDone: @escaping () -> Void)
    /// What it wants its owner to hear of.
    var onEvent: (StoreEvent) -> Void { get set }
}
