// A place for one value that its owner changes in place.
//
// A struct that is a stored property of a class is guarded by a dynamic exclusivity check at every
// mutating call, 80 instructions each, and the road makes some thirty of them per request. Here
// the value stands behind a pointer of its own, and the guarantee is kept by construction instead:
// cells are private to this room and its one thread, and no method of a value that stands in one
// calls out, so no access can begin while another runs.

/// Holds one value; freed with the cell.
@safe final class Cell<Value> {
    private let place: UnsafeMutablePointer<Value>

    init(_ value: Value) {
        // Allocated and initialised here, freed in deinit, and never handed out.
        unsafe place = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        unsafe place.initialize(to: value)
    }

    /// The value, in place.
    @inline(__always)
    var value: Value {
        // The pointer is valid as long as the cell, which the accessing expression keeps alive.
        unsafeAddress { unsafe UnsafePointer(place) }
        unsafeMutableAddress { unsafe place }
    }

    deinit {
        // See `init`.
        unsafe place.deinitialize(count: 1)
        unsafe place.deallocate()
    }
}
