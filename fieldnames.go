package mid

// FieldNames is how the names of fields are spelled on the wire.
type FieldNames int

const (
	// SnakeCase is the spelling of the MID API v1 overview, like session_id. It
	// is the default.
	SnakeCase FieldNames = iota
	// CamelCase is the spelling of the vendor's other pages, like sessionId.
	CamelCase
)
