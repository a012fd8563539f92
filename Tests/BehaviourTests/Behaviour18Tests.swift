// Behaviour 18: one c-ares channel on the reactor's thread; single-flight per name; nothing is left
// open when nothing is asked.

import Testing

@Suite struct Behaviour18Tests {
    @Test func `many names need two queries each, no thread and no socket after`() async throws {
        #expect(
            try await fetchProbe("names", 1_000) == [
                "all found true, Threads: 1", "2000 queries, 0 sockets left",
            ])
    }
}
