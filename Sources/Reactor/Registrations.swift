// Who waits for which descriptor: a flat table of slots, indexed by the tag of epoll's events.
//
// A stale event can't reach a new owner: a slot's generation moves on when its registration ends,
// and an event whose generation is not the slot's is dropped. That covers the descriptor that was
// closed and opened again between two events of one batch, and the slot that was taken again.

internal import CFetchLinux

/// A place in the table; free while it has no handler.
struct RegistrationSlot {
    var handler: (any ReadinessHandler)?
    var descriptor: CInt
    var generation: UInt32
    var interest: Interest
}

extension Reactor {
    /// Waits for a descriptor on behalf of a handler, which is kept until `deregister`.
    ///
    /// Throws `notPollable` for regular files, which are always ready.
    package func register(
        _ descriptor: CInt, _ interest: Interest, _ handler: any ReadinessHandler
    ) throws(SystemError) -> Registration {
        try checkUsable()
        let slot = freeSlots.popLast() ?? addSlot()
        let registration = Registration(
            slot: UInt32(truncatingIfNeeded: slot), generation: slots[slot].generation)
        do throws(SystemError) {
            try poller.add(descriptor, mask(interest), tag: registration.tag)
        } catch {
            freeSlots.append(slot)
            throw error
        }
        slots[slot].handler = handler
        slots[slot].descriptor = descriptor
        slots[slot].interest = interest
        registrationCount += 1
        return registration
    }

    /// Changes what is waited for; the kernel knows it when this returns.
    package func setInterest(_ interest: Interest, _ registration: Registration) {
        checkThread()
        let slot = Int(registration.slot)
        guard !isForked, isRegistered(registration), slots[slot].interest != interest else {
            return
        }
        slots[slot].interest = interest
        do throws(SystemError) {
            try poller.modify(slots[slot].descriptor, mask(interest), tag: registration.tag)
        } catch {
            // Only a descriptor that was closed before its registration ended can get here.
            fatalError("a registered descriptor was closed: \(error)")
        }
    }

    /// Ends a registration; comes before the descriptor is closed. Events that were already taken
    /// from the kernel are dropped.
    package func deregister(_ registration: Registration) {
        guard !isForked else { return }
        checkThread()
        guard isRegistered(registration) else { return }
        let slot = Int(registration.slot)
        if !isClosed { poller.remove(slots[slot].descriptor) }
        slots[slot].generation &+= 1
        freeSlots.append(slot)
        registrationCount -= 1
        // Last, and after the slot is free: the handler may die here and call us again.
        _ = slots[slot].handler.take()
    }

    private func isRegistered(_ registration: Registration) -> Bool {
        let slot = Int(registration.slot)
        return slot < slots.count && slots[slot].generation == registration.generation
            && slots[slot].handler != nil
    }

    private func addSlot() -> Int {
        slots.append(
            RegistrationSlot(handler: nil, descriptor: -1, generation: 0, interest: []))
        return slots.count - 1
    }

    private func mask(_ interest: Interest) -> UInt32 {
        interest.isEmpty ? fetch_EPOLLET : interest.rawValue
    }
}
