// A task's cancellation handler without a closure around what it guards.
//
// `withTaskCancellationHandler` takes its body as a closure: a frame of its own, a switch of
// executors on the way in and another on the way out, 550 instructions a call to stay where it is.
// The two functions of the runtime that it calls are as public as itself, and are called here.

internal import CFetchLinux

/// A handler that was added to the current task. To be removed by that task, the last one first.
@safe
package struct CancellationHandler {
    /// Tells the listener, on the thread of whoever cancels.
    package typealias Cancelled = @convention(c) (UnsafeRawPointer, UInt64) -> Void

    private let handler: UnsafeMutableRawPointer

    /// Adds a handler to the current task; it runs at once if the task is cancelled already.
    ///
    /// `number` says which of the listener's calls it is. The listener must be kept alive until
    /// the handler is removed.
    package init<Value>(
        _ listener: ReactorBound<Value>, _ number: UInt64, _ cancelled: Cancelled
    ) {
        // The address of an object that the caller keeps alive.
        unsafe handler = fetch_add_cancellation_handler(
            cancelled, Unmanaged.passUnretained(listener.keeper).toOpaque(), number)
    }

    /// Removes it; afterwards it does not run, and has ended if it did.
    package func remove() {
        // `init` added it, and this is the one time.
        unsafe fetch_remove_cancellation_handler(handler)
    }
}

extension ReactorBound {
    /// The listener that a handler is told of, inside the handler.
    package init(listener: UnsafeRawPointer) {
        // It is the keeper of such a value, alive until the handler is removed.
        unsafe self.init(keeper: Unmanaged.fromOpaque(listener).takeUnretainedValue())
    }
}
