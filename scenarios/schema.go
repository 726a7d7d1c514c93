package scenarios

import (
	"bytes"
	_ "embed"
)

//go:generate go -C .. run ./scenarios/internal/schemagen scenarios/schema.json

//go:embed schema.json
var schema []byte

// Schema gives the JSON Schema (draft 2020-12) of both kinds of documents, for
// editors. It knows the shape of a document; Load knows more.
func Schema() ([]byte, error) { return bytes.Clone(schema), nil }
