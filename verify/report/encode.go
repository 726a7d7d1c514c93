package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// The files of a run directory that this package writes.
const (
	JSONFile  = "report.json"
	JUnitFile = "junit.xml"
)

// JSON writes the report as report.json holds it.
func JSON(w io.Writer, r Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // "floor < 2" is for people too
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("encoding report: %w", err)
	}
	return nil
}

// YAML writes the same report as YAML.
func YAML(w io.Writer, r Report) error {
	data, err := yaml.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding report: %w", err)
	}
	_, err = w.Write(data)
	return err
}

// WriteFiles writes report.json and junit.xml into a run directory. Each
// appears whole or not at all, and replaces that of an earlier judgement.
func WriteFiles(dir string, r Report) error {
	if err := writeFile(filepath.Join(dir, JSONFile), r, JSON); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, JUnitFile), r, JUnit)
}

func writeFile(path string, r Report, encode func(io.Writer, Report) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	defer file.Close() // again after the one below, which counts; harmless
	if err := encode(file, r); err != nil {
		return err
	}
	if err := file.Chmod(0o644); err != nil { // CI collects it as another user
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
