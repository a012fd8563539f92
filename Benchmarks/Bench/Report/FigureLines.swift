// Whole numbers by name, as lines of `name number`: what a bench process tells its parent where a
// load run's report has no place for it. Both are the same executable. Pure.

/// Figures in the order in which they were taken down.
package struct FigureLines: Equatable {
    private var names: [String] = []
    private var values: [String: Int] = [:]

    package init() {}

    /// Reads the lines back; lines of another form are left out.
    package init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let value = Int(words[1]) { self[String(words[0])] = value }
        }
    }

    package subscript(name: String) -> Int? {
        get { values[name] }
        set {
            if values[name] == nil { names.append(name) }
            values[name] = newValue
        }
    }

    package var text: String {
        names.compactMap { name in values[name].map { "\(name) \($0)" } }.joined(separator: "\n")
    }
}
