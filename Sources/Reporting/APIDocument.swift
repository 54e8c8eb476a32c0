import CacheModel

/// The web API, as it tells itself: `/api/v1`, and its OpenAPI 3.1 document.
///
/// Both are made from the list of paths that the server answers, so that neither can promise what is not there.
package struct APIDocument: Sendable {
    /// What a path or a parameter holds.
    package enum Kind: Sendable, Hashable {
        /// A text of at most that many bytes.
        case text(longest: Int)
        /// A Kubernetes quantity.
        case size
        /// A whole number in a range.
        case number(ClosedRange<Int>)
        /// One of these words.
        case word([String])
        /// Texts, one for each time the parameter stands there.
        case texts
    }

    /// A parameter of the path or of the query.
    package struct Parameter: Sendable, Hashable {
        /// Its name.
        package var name: String
        /// What it holds.
        package var kind: Kind
        /// What it is for.
        package var summary: String
        /// Whether it is a part of the path.
        package var isInPath = false

        /// Makes a parameter from all it consists of.
        package init(_ name: String, _ kind: Kind, _ summary: String, isInPath: Bool = false) {
            self.name = name
            self.kind = kind
            self.summary = summary
            self.isInPath = isInPath
        }
    }

    /// What one path answers to one method.
    package struct Operation: Sendable {
        /// The path, with a parameter as `{key}`.
        package var path: String
        /// The method: `get` or `post`.
        package var method: String
        /// What it is for, in a sentence.
        package var summary: String
        /// Its parameters.
        package var parameters: [Parameter]
        /// The answer's schema, such as `larder.status/1`; nil for what is no JSON.
        package var schema: String?
        /// The answer's media type.
        package var type: String
        /// The status of success.
        package var status: Int

        /// Makes an operation from all it consists of.
        package init(
            _ path: String, method: String = "get", _ summary: String, parameters: [Parameter] = [],
            schema: String? = nil, type: String = "application/json", status: Int = 200
        ) {
            self.path = path
            self.method = method
            self.summary = summary
            self.parameters = parameters
            self.schema = schema
            self.type = type
            self.status = status
        }
    }

    /// What is offered.
    package var operations: [Operation]
    /// Larder's version.
    package var version: String

    /// Makes the document of these operations.
    package init(_ operations: [Operation], version: String) {
        self.operations = operations
        self.version = version
    }

    /// The list of paths, as `larder.api/1`.
    package func index() throws -> String {
        let document: JSONValue = [
            "schema": "larder.api/1", "version": .text(version), "openapi": "/api/v1/openapi.json",
            "operations": .array(
                operations.map { operation in
                    [
                        "method": .text(operation.method.uppercased()), "path": .text(operation.path),
                        "summary": .text(operation.summary),
                        "parameters": .array(operation.parameters.map { .text($0.name) }),
                        "schema": .optional(operation.schema),
                    ]
                }),
        ]
        return try document.document()
    }

    /// The OpenAPI 3.1 document.
    package func openAPI() throws -> String {
        var paths: [(key: String, value: JSONValue)] = []
        for operation in operations {
            let member = (key: operation.method, value: value(of: operation))
            if let place = paths.firstIndex(where: { $0.key == operation.path }),
                case .object(let members) = paths[place].value
            {
                paths[place].value = .object(members + [member])
            } else {
                paths.append((operation.path, .object([member])))
            }
        }
        let schemas = Self.schemas.map { name, members in
            (key: Self.component(name), value: Self.value(of: members, named: name))
        }
        let about: JSONValue = [
            "title": "Larder", "version": .text(version),
            "description": """
            What Larder knows of the cache volumes of a CI system. Sizes are bytes, times are RFC 3339 in UTC. Keys may \
            be added to any answer.
            """,
        ]
        let token: JSONValue = [
            "type": "http", "scheme": "bearer", "description": "The token of daemon.token_file.",
        ]
        let components: JSONValue = [
            "schemas": .object(schemas + [(key: "problem", value: Self.problem)]),
            "securitySchemes": ["token": token],
        ]
        // As seen from this document, which may be served below a proxy's path.
        let server: JSONValue = ["url": "../.."]
        let document: JSONValue = [
            "openapi": "3.1.0", "info": about, "servers": .array([server]), "paths": .object(paths),
            "components": components,
        ]
        return try document.document()
    }

    private func value(of operation: Operation) -> JSONValue {
        var body: JSONValue = ["type": .text(operation.type == "application/json" ? "object" : "string")]
        if let name = operation.schema { body = Self.reference(Self.component(name)) }
        let content = JSONValue.object([(key: operation.type, value: Self.schema(body))])
        let refusal = JSONValue.object([
            (key: "application/problem+json", value: Self.schema(Self.reference("problem")))
        ])
        let problem: JSONValue = [
            "description": "It was refused, or cannot be answered now.", "content": refusal,
        ]
        let done: JSONValue = ["description": "Done.", "content": content]
        let responses = JSONValue.object([
            (key: "\(operation.status)", value: done), (key: "default", value: problem),
        ])
        var members: [(key: String, value: JSONValue)] = [
            ("summary", .text(operation.summary)),
            ("operationId", .text(Self.identifier(operation))),
            ("parameters", .array(operation.parameters.map(Self.value))),
            ("responses", responses),
        ]
        if operation.method == "post" {
            let order = JSONValue.object([
                (key: "application/json", value: Self.schema(Self.reference("run-order")))
            ])
            let token: JSONValue = ["token": .array([])]
            let taken: JSONValue = ["required": .bool(true), "content": order]
            members.append(("security", .array([token])))
            members.append(("requestBody", taken))
        }
        return .object(members)
    }

    private static func schema(_ value: JSONValue) -> JSONValue { .object([(key: "schema", value: value)]) }

    private static func reference(_ component: String) -> JSONValue {
        .object([(key: "$ref", value: .text("#/components/schemas/\(component)"))])
    }

    private static func identifier(_ operation: Operation) -> String {
        let words = operation.path.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        return ([operation.method] + words).joined(separator: "-")
    }

    private static func component(_ schema: String) -> String {
        schema.replacing("larder.", with: "").replacing("/1", with: "")
    }

    /// Quantities below the 8 EiB that `ByteCount` reads; an empty value counts as absent.
    private static let quantity =
        #"^([0-9]{1,6}(\.[0-9]{1,3})?(Ki|Mi|Gi|Ti|k|M|G|T)|[0-9]{1,3}(\.[0-9]{1,3})?(Pi|P)|[0-9]{1,18})?$"#

    /// The activities that `POST /api/v1/runs` begins.
    package static let requestable = ["scan", "prune", "warm"]

    private static func value(_ parameter: Parameter) -> JSONValue {
        let schema: JSONValue
        switch parameter.kind {
        case .text(let longest): schema = ["type": "string", "maxLength": .integer(Int64(longest))]
        case .size: schema = ["type": "string", "pattern": .text(quantity)]
        case .number(let range):
            schema = [
                "type": "integer", "minimum": .integer(Int64(range.lowerBound)),
                "maximum": .integer(Int64(range.upperBound)),
            ]
        case .word(let words): schema = ["type": "string", "enum": .array(words.map { .text($0) })]
        case .texts:
            let item: JSONValue = ["type": "string", "maxLength": .integer(200)]
            schema = ["type": "array", "maxItems": .integer(16), "items": item]
        }
        return [
            "name": .text(parameter.name), "in": .text(parameter.isInPath ? "path" : "query"),
            "required": .bool(parameter.isInPath), "description": .text(parameter.summary), "schema": schema,
        ]
    }

    private static func value(of members: [(String, String)], named name: String) -> JSONValue {
        var properties: [(key: String, value: JSONValue)] = []
        if name.hasPrefix("larder.") {
            properties.append((key: "schema", value: .object([(key: "const", value: .text(name))])))
        }
        for (key, type) in members {
            let types = type.split(separator: "|").map { JSONValue.text(String($0)) }
            var members = [(key: "type", value: types.count == 1 ? types[0] : .array(types))]
            if name == "run-order", key == "activity" {
                members.append((key: "enum", value: .array(requestable.map { .text($0) })))
            }
            properties.append((key: key, value: .object(members)))
        }
        let required = properties.map(\.key).filter { key in !(name == "run-order" && key == "volume") }
        return [
            "type": "object", "properties": .object(properties),
            "required": .array(required.map { .text($0) }),
            "additionalProperties": .bool(name != "run-order"),
        ]
    }

    /// A problem (RFC 9457), with the members of `larder.error/1` beside its own.
    private static let problem = value(
        of: [
            ("type", "string"), ("title", "string"), ("status", "integer"), ("detail", "string"),
            ("schema", "string"), ("code", "integer"), ("error", "string"), ("hint", "string|null"),
        ], named: "problem")

    /// The members of the answers, as far as they are always there.
    private static let schemas: [(String, [(String, String)])] = [
        ("larder.api/1", [("version", "string"), ("openapi", "string"), ("operations", "array")]),
        ("larder.status/1", [("volumes", "array"), ("warnings", "array")]),
        (
            "larder.list/1",
            [
                ("total_entries", "integer"), ("total_bytes", "integer"), ("entries", "array"),
                ("next_cursor", "string|null"), ("previous_cursor", "string|null"),
            ]
        ),
        (
            "larder.explain/1",
            [
                ("asked", "string"), ("key", "string"), ("volume", "string"), ("entry", "object|null"),
                ("verdict", "object|null"), ("traces", "array"), ("accesses", "array"),
                ("ghost", "object|null"), ("projects", "array"),
                ("matches", "array"), ("has_more", "boolean"), ("unmanaged", "array"), ("below", "array"),
            ]
        ),
        (
            "larder.plan/1",
            [
                ("plan", "string"), ("created_at", "string"), ("volumes", "array"), ("skipped", "array"),
                ("unknown_keys", "array"),
            ]
        ),
        ("larder.runs/1", [("runs", "array"), ("activities", "array"), ("next_cursor", "string|null")]),
        (
            "larder.run/1",
            [
                ("run", "string"), ("kind", "string"), ("started_at", "string"), ("finished_at", "string"),
                ("exit_code", "integer"), ("volumes", "array"), ("warmed", "object"),
            ]
        ),
        ("larder.report/1", [("generated_at", "string"), ("window_days", "integer"), ("volumes", "array")]),
        ("larder.run-request/1", [("activity", "string"), ("volume", "string|null")]),
        ("run-order", [("activity", "string"), ("volume", "string|null")]),
    ]
}
