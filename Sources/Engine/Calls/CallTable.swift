// Every call there is, by slot. Owned by the road; reactor thread.

/// A call's name outside: slot and generation, two integers that any thread may hold.
package struct CallID: Hashable, Sendable {
    package let slot: UInt32
    package let generation: UInt32

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// Both in one integer, and back.
    package var number: UInt64 { UInt64(slot) << 32 | UInt64(generation) }

    package init(number: UInt64) {
        slot = UInt32(truncatingIfNeeded: number >> 32)
        generation = UInt32(truncatingIfNeeded: number)
    }
}

/// Calls by slot; a freed slot's object serves the next call.
struct CallTable {
    private var calls: [Call] = []
    private var free: [UInt32] = []
    private(set) var live = 0
    private let defaults: CallDefaults

    init(_ defaults: CallDefaults) {
        self.defaults = defaults
    }

    mutating func open() -> Call {
        live += 1
        let call: Call
        if let slot = free.popLast() {
            call = calls[Int(slot)]
        } else {
            call = Call(slot: UInt32(calls.count), defaults)
            calls.append(call)
        }
        call.isLive = true
        return call
    }

    mutating func close(_ call: Call) {
        live -= 1
        call.clear()
        free.append(call.slot)
    }

    /// Nil for a call that is over.
    subscript(id: CallID) -> Call? {
        guard id.slot < calls.count else { return nil }
        let call = calls[Int(id.slot)]
        return call.isLive && call.generation == id.generation ? call : nil
    }

    /// Two calls that are under way change their callers: who asked for the one is told of the
    /// other, and their names go with them.
    mutating func exchangeCallers(_ one: Call, _ other: Call) {
        calls[Int(one.slot)] = other
        calls[Int(other.slot)] = one
        one.exchangeCaller(with: other)
    }

    /// The call in that slot; nil for a free one.
    func live(at slot: Int) -> Call? {
        let call = calls[slot]
        return call.isLive ? call : nil
    }

    var liveCalls: [Call] { calls.filter(\.isLive) }
}
