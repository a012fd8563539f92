// What the engine is told of the cache. A value.

package import FetchCache
package import FetchStore

package struct CacheSettings: Sendable {
    /// What stands behind the memory.
    package enum Behind: Sendable {
        case nothing
        /// A file; nothing in a build without the trait SQLite.
        case disk(DiskSettings)
        /// A store of the caller's own.
        case store(any CacheStore, ForeignSettings)
    }

    package var limits = MemoryIndex.Limits()
    package var rules = CacheRules()
    package var behind = Behind.nothing
    /// Stale responses that are validated in the background at a time; others are when they are
    /// next asked for.
    package var mostValidations = 100
    /// Told of warnings, on the reactor's thread, between events.
    package var observer: (@Sendable (StoreEvent) -> Void)?

    package init() {}
}
