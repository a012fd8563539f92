// A reference that is not counted, for the few places where counting would be the main cost: 40
// instructions each time one is handed round.

/// Refers to an object that somebody else keeps alive for longer; each place that holds one says
/// who.
@safe struct Uncounted<Object: AnyObject> {
    private let reference: Unmanaged<Object>

    init(_ object: Object) {
        unsafe reference = .passUnretained(object)
    }

    /// The object, counted from here on.
    var object: Object {
        // Alive, as its holder promises.
        unsafe reference.takeUnretainedValue()
    }

    /// Lends the object without counting it. What `body` does must not end the other's keeping.
    @inline(__always)
    func with<R>(_ body: (Object) -> R) -> R {
        // As above, for as long as `body` runs.
        unsafe reference._withUnsafeGuaranteedRef { body($0) }
    }
}
