// Two counts of the recent past in a fixed space: twenty slices of a window, the oldest of which is
// forgotten as time goes on. A value inside the retry budget and the breaker; reads no clock.
//
// The slice that is being filled counts as the window's last, so what is counted is the past of
// between 95 % and 100 % of the window: never more, so that nothing old is held against anybody.

internal import FetchTime

/// Two counts over a sliding window. 176 bytes; every operation is O(1).
struct WindowedCounts: Sendable {
    static var slices: Int { 20 }

    private var firstBySlice = InlineArray<20, UInt32>(repeating: 0)
    private var secondBySlice = InlineArray<20, UInt32>(repeating: 0)
    /// Sums of the slices.
    private(set) var first: UInt32 = 0
    private(set) var second: UInt32 = 0
    /// The slice that is being filled, counted from the clock's origin.
    private var current: Int64 = 0

    /// Forgets what has left the window. A clock that goes back changes nothing.
    mutating func advance(to now: Instant, sliceNanoseconds: Int64) {
        let slice = now.nanoseconds / sliceNanoseconds
        guard slice > current else { return }
        guard slice - current < Int64(Self.slices) else {
            self = WindowedCounts()
            current = slice
            return
        }
        while current < slice {
            current += 1
            let index = self.index
            first -= firstBySlice[index]
            second -= secondBySlice[index]
            firstBySlice[index] = 0
            secondBySlice[index] = 0
        }
    }

    /// Counts one. At the end of the numbers it counts no further, so that sums never wrap.
    mutating func countFirst() {
        guard first < .max else { return }
        first += 1
        firstBySlice[index] += 1
    }

    mutating func countSecond() {
        guard second < .max else { return }
        second += 1
        secondBySlice[index] += 1
    }

    /// Takes one of the second kind back, if the slice that is being filled has one.
    mutating func uncountSecond() {
        guard secondBySlice[index] > 0 else { return }
        second -= 1
        secondBySlice[index] -= 1
    }

    private var index: Int {
        let index = Int(truncatingIfNeeded: current % Int64(Self.slices))
        return index < 0 ? index + Self.slices : index
    }
}
