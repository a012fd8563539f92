// What can be asked of a descriptor and what it can answer. Values of any thread; epoll(7)'s bits.

/// What a registration waits for.
@usableFromInline
package struct Interest: OptionSet, Hashable, Sendable {
    @usableFromInline package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// EPOLLIN and EPOLLRDHUP: something can be read, or the peer will send no more.
    @inlinable package static var readable: Interest { Interest(rawValue: 0x2001) }
    /// EPOLLOUT: something can be written.
    @inlinable package static var writable: Interest { Interest(rawValue: 0x4) }
}

/// What a descriptor is ready for.
@usableFromInline
package struct Readiness: OptionSet, Hashable, Sendable {
    @usableFromInline package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// EPOLLIN: a read will not block.
    @inlinable package static var readable: Readiness { Readiness(rawValue: 0x1) }
    /// EPOLLOUT: a write will not block.
    @inlinable package static var writable: Readiness { Readiness(rawValue: 0x4) }
    /// EPOLLERR: the socket has a pending error.
    @inlinable package static var error: Readiness { Readiness(rawValue: 0x8) }
    /// EPOLLHUP: closed in both directions.
    @inlinable package static var hangup: Readiness { Readiness(rawValue: 0x10) }
    /// EPOLLRDHUP: the peer will send no more; what it sent before may still be unread.
    @inlinable package static var readClosed: Readiness { Readiness(rawValue: 0x2000) }
}

/// Hears when its descriptor is ready, on the reactor's thread.
///
/// Readiness is level-triggered: what was not read is reported again in the next turn. A
/// registration without interest hears of errors and hang-ups once.
package protocol ReadinessHandler: AnyObject {
    func descriptorReady(_ readiness: Readiness)
}

/// Names a descriptor's registration; stale after `deregister`.
package struct Registration: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32

    /// The 64 bits that come back from epoll with each event.
    var tag: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}
