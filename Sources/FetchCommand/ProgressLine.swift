// One line on a terminal that says how far a run has come, over and over. Nothing at all where
// standard error is no terminal. Reactor thread; made by `main`.

internal import FetchReactor
internal import FetchTime
internal import Glibc

final class ProgressLine: TimerHandler {
    private static let interval = Duration.milliseconds(200)
    /// Back to the line's start, and what stands there is wiped out.
    private static let wipe = "\r\u{1B}[K"

    private let reactor: Reactor
    private let text: () -> String
    private var timer: TimerID?

    /// Nil where nobody would see it.
    init?(on reactor: Reactor, _ text: @escaping () -> String) {
        guard isatty(STDERR_FILENO) == 1 else { return nil }
        self.reactor = reactor
        self.text = text
        show()
    }

    func timerFired(_ token: Int) { show() }

    private func show() {
        writeAll(Self.wipe + text(), to: STDERR_FILENO)
        timer = reactor.schedule(self, at: reactor.now + Self.interval)
    }

    func end() {
        if let timer { reactor.cancel(timer) }
        timer = nil
        writeAll(Self.wipe, to: STDERR_FILENO)
    }
}
