// A caller who asks a limiter as soon as it says that asking is worth while, on a clock that jumps.

import FetchPolicy
import FetchTime

/// Drives a limiter for a while; the times of its grants.
///
/// - Parameter tick: wake-ups come on multiples of this many nanoseconds, as a timer wheel's do.
func grants<L: RateLimiter>(
    of limiter: inout L, from start: Instant = .at(0), for duration: Duration, tick: Int64 = 1,
    most: Int = .max
) -> [Instant] {
    var now = start
    var times: [Instant] = []
    while now < start + duration, times.count < most {
        switch limiter.admit(1, now: now) {
        case .now: times.append(now)
        case .notBefore(let later):
            let rounded = (later.nanoseconds - 1) / tick * tick + tick
            now = Instant(nanoseconds: max(rounded, later.nanoseconds))
        }
    }
    return times
}

/// The most grants in any half-open window of this length.
func mostInAnyWindow(_ times: [Instant], _ window: Duration) -> Int {
    var most = 0
    var first = 0
    for index in times.indices {
        while times[first] + window <= times[index] { first += 1 }
        most = max(most, index - first + 1)
    }
    return most
}
