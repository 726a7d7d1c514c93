package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// What a file may hold at the most. A scenario is written by hand; these are
// far above any, and keep a hostile file from taking the process down.
const (
	// MaxFileSize is how many bytes of a file are read.
	MaxFileSize = 1 << 20
	maxNodes    = 20_000 // aliases expanded
	maxDepth    = 64
)

// parse splits a source into its documents, aliases expanded. Whatever it
// cannot read is a problem; it keeps what came before.
func parse(source Source) ([]*yaml.Node, []Problem) {
	if problem := readable(source); problem != nil {
		return nil, []Problem{*problem}
	}
	var documents []*yaml.Node
	var problems []Problem
	left := maxNodes
	decoder := yaml.NewDecoder(bytes.NewReader(source.Data))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			problems = append(problems, syntaxProblem(source, err))
			break
		}
		root := document.Content[0]
		if isNull(root) {
			continue // an empty document, as a trailing --- leaves one
		}
		expander := expander{left: left}
		root = expander.expand(root, 0)
		if failed := expander.failed; failed != nil {
			problems = append(problems, Problem{
				File: source.Name, Line: failed.at.Line, Column: failed.at.Column, Message: failed.message, Hint: failed.hint})
			break
		}
		left = expander.left
		documents = append(documents, root)
	}
	if len(documents) == 0 && len(problems) == 0 {
		problems = append(problems, Problem{File: source.Name, Line: 1, Column: 1,
			Message: "the file is empty", Hint: "the shipped scenarios in scenarios/library are a place to start from"})
	}
	return documents, problems
}

// readable refuses what is no text before the parser sees it: the parser's own
// words for it name no place.
func readable(source Source) *Problem {
	if len(source.Data) > MaxFileSize {
		return &Problem{File: source.Name, Line: 1, Column: 1,
			Message: fmt.Sprintf("the file is larger than %d bytes", MaxFileSize)}
	}
	line, column := 1, 1
	for rest := source.Data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		message := ""
		switch {
		case r == utf8.RuneError && size == 1:
			message = "the file is not UTF-8"
		case r == '\n', r == '\t', r == '\r' && bytes.HasPrefix(rest, []byte("\r\n")):
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			// Among them are line ends that YAML counts and editors do not.
			message = fmt.Sprintf("control character %U", r)
		}
		if message != "" {
			return &Problem{File: source.Name, Line: line, Column: column, Message: message}
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
		rest = rest[size:]
	}
	return nil
}

// syntaxProblem turns an error of the YAML parser, which knows a line at best,
// into a problem.
func syntaxProblem(source Source, err error) Problem {
	problem := Problem{File: source.Name, Line: 1, Column: 1,
		Message: "not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	lines := strings.Split(string(source.Data), "\n")
	if match := regexp.MustCompile(`(?s)^yaml: line (\d+): (.*)$`).FindStringSubmatch(err.Error()); match != nil {
		line, _ := strconv.Atoi(match[1])
		problem.Message = "not YAML: " + match[2]
		if what, ok := strings.CutPrefix(match[2], "did not find expected "); ok {
			// Errors of the grammar name the line before the one where the
			// broken block or bracket begins.
			line++
			problem.Message = "not YAML: what begins here lacks a " + what
		}
		problem.Line = min(max(line, 1), len(lines))
	}
	// The parser may be a line off, and tells a tab in many ways.
	for _, line := range []int{problem.Line, problem.Line - 1, problem.Line + 1} {
		if line < 1 || line > len(lines) {
			continue
		}
		text := lines[line-1]
		indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
		if tab := strings.IndexByte(indent, '\t'); tab >= 0 {
			return Problem{File: source.Name, Line: line, Column: tab + 1,
				Message: "a tab in the indentation", Hint: "indent with spaces"}
		}
	}
	return problem
}

// expander copies a document, putting what aliases stand for in their place.
type expander struct {
	left   int
	open   []*yaml.Node // anchors being expanded
	failed *failure
}

type failure struct {
	at            *yaml.Node
	message, hint string
}

func (e *expander) fail(at *yaml.Node, message, hint string) *yaml.Node {
	if e.failed == nil {
		e.failed = &failure{at: at, message: message, hint: hint}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: at.Line, Column: at.Column}
}

func (e *expander) expand(n *yaml.Node, depth int) *yaml.Node {
	if e.failed != nil {
		return n
	}
	if e.left--; e.left < 0 {
		return e.fail(n, fmt.Sprintf("the file has more than %d values, aliases expanded", maxNodes), "")
	}
	if depth > maxDepth {
		return e.fail(n, fmt.Sprintf("nested deeper than %d levels", maxDepth), "")
	}
	if n.Kind == yaml.AliasNode {
		return e.expandAlias(n, depth)
	}
	if n.Style&yaml.TaggedStyle != 0 && !plainTag(n) {
		return e.fail(n, fmt.Sprintf("the tag %s", clip(n.Tag)), "write the value without a tag")
	}
	expanded := *n
	expanded.Anchor = ""
	expanded.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		expanded.Content[i] = e.expand(child, depth+1)
	}
	return &expanded
}

func (e *expander) expandAlias(n *yaml.Node, depth int) *yaml.Node {
	for _, open := range e.open {
		if open == n.Alias {
			return e.fail(n, fmt.Sprintf("the anchor &%s contains itself", n.Value), "")
		}
	}
	e.open = append(e.open, n.Alias)
	expanded := e.expand(n.Alias, depth+1)
	e.open = e.open[:len(e.open)-1]
	return expanded
}

// plainTag says that an explicit tag means what its value would without it.
func plainTag(n *yaml.Node) bool {
	switch n.ShortTag() {
	case "!!str":
		return n.Kind == yaml.ScalarNode
	case "!!map":
		return n.Kind == yaml.MappingNode
	case "!!seq":
		return n.Kind == yaml.SequenceNode
	}
	return false
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }
