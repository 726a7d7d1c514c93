package apiserver

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

const (
	// firstPage is small: objects may be a megabyte each.
	firstPage = 50
	fullPage  = 500
	// pageBytes is what a page should have at most.
	pageBytes = 4 << 20
)

// item is one object of a list, as far as the comparison needs it taken apart.
type item struct {
	// key is what follows the resource in the object's etcd key.
	key      string
	uid      string
	revision int64 // resourceVersion
	raw      json.RawMessage
}

// pages reads a list page by page.
type pages struct {
	side *side
	path string
	// revision to read at; 0 for now.
	revision int64

	limit    int
	proceed  string // the continue token
	finished bool
	last     string // the last key
}

// next reads one page; nil at the end.
func (p *pages) next(ctx context.Context) ([]item, error) {
	if p.finished {
		return nil, nil
	}
	if p.limit == 0 {
		p.limit = firstPage
	}
	parameters := map[string]string{"limit": strconv.Itoa(p.limit)}
	switch {
	case p.proceed != "":
		parameters["continue"] = p.proceed // it holds the revision
	case p.revision != 0:
		parameters["resourceVersion"] = strconv.FormatInt(p.revision, 10)
		parameters["resourceVersionMatch"] = "Exact"
	}
	body, err := p.side.get(ctx, p.path, parameters, "application/json")
	if err != nil {
		return nil, err
	}
	var list struct {
		Metadata struct {
			Continue        string `json:"continue"`
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, p.senseless("it is no list")
	}
	if at := list.Metadata.ResourceVersion; p.revision != 0 && at != strconv.FormatInt(p.revision, 10) {
		return nil, p.senseless("asked for revision %d, it answers with revision %.20q", p.revision, at)
	}
	p.proceed = list.Metadata.Continue
	p.finished = p.proceed == ""
	p.resize(len(body), len(list.Items))
	return p.take(list.Items)
}

// senseless says that a server answers what no API server should.
func (p *pages) senseless(format string, arguments ...any) error {
	return &trouble{text: "the answer makes no sense: " + fmt.Sprintf(format, arguments...), excused: true}
}

// resize makes the next page as long as fits.
func (p *pages) resize(bytes, items int) {
	p.limit = fullPage
	if items > 0 {
		p.limit = min(fullPage, max(1, pageBytes/(bytes/items+1)))
	}
}

// take reads what identifies the objects, and makes sure of their order, which
// the comparison relies on.
func (p *pages) take(raw []json.RawMessage) ([]item, error) {
	items := make([]item, 0, len(raw))
	for _, object := range raw {
		var head struct {
			Metadata struct {
				Namespace       string `json:"namespace"`
				Name            string `json:"name"`
				UID             string `json:"uid"`
				ResourceVersion string `json:"resourceVersion"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(object, &head); err != nil {
			return nil, p.senseless("an object without metadata")
		}
		key := head.Metadata.Name
		if head.Metadata.Namespace != "" {
			key = head.Metadata.Namespace + "/" + key
		}
		if key == "" || key <= p.last {
			return nil, p.senseless("%q comes after %q, which is not the order of keys", key, p.last)
		}
		p.last = key
		revision, err := strconv.ParseInt(head.Metadata.ResourceVersion, 10, 64)
		if err != nil {
			return nil, p.senseless("%q has no resourceVersion", key)
		}
		items = append(items, item{key: key, uid: head.Metadata.UID, revision: revision, raw: object})
	}
	return items, nil
}
