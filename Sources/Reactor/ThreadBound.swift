// Storage for what a reactor's thread reads and changes in every turn.

/// A stored property without the runtime's exclusivity check, which costs 80 instructions: more
/// than most accesses.
///
/// The check guards against a second access while a first is changing the value. Here that can't
/// happen: only the reactor's thread gets in (see Reactor.swift), and no access lasts while foreign
/// code runs. Whoever adds an access keeps to that rule: take handlers, actions and payloads out,
/// let the access end, then call or release them.
///
/// The pointer is one value's memory, which lives until the owner's `deinit` deallocates it. It is
/// a plain struct, and not an object, so that reaching the value counts no reference.
@propertyWrapper
@safe
@usableFromInline
package struct ThreadBound<Value> {
    @usableFromInline let storage: UnsafeMutablePointer<Value>

    @inlinable
    package init(wrappedValue: Value) {
        unsafe storage = .allocate(capacity: 1)
        unsafe storage.initialize(to: wrappedValue)
    }

    @inlinable package var wrappedValue: Value {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(storage) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe storage }
    }

    /// Where the value is, for an owner that makes its box late and has accessors of its own.
    @unsafe @inlinable package var address: UnsafeMutablePointer<Value> { unsafe storage }

    /// Ends the value; called once, in the owner's `deinit`.
    @inlinable
    package func deallocate() {
        unsafe storage.deinitialize(count: 1)
        unsafe storage.deallocate()
    }
}
