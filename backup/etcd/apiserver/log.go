package apiserver

import (
	"regexp"
	"strings"
)

// quoted is how much of a log line is shown.
const quoted = 300

// complaints are the lines of a log that speak of errors, without klog's
// header, what is fatal last.
func complaints(log string) []string {
	// "E1123 02:03:04.567890   12345 file.go:123] text".
	header := regexp.MustCompile(`^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [^\]]+\] ?`)
	var failed, fatal []string
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		match := header.FindStringSubmatch(line)
		switch {
		case match == nil && (strings.HasPrefix(line, "Error: ") || strings.HasPrefix(line, "panic: ")):
			fatal = append(fatal, line)
		case match == nil || match[1] == "I" || match[1] == "W":
		case match[1] == "F" || strings.Contains(line, `"command failed"`):
			fatal = append(fatal, strings.TrimPrefix(line, match[0]))
		case !harmless(line):
			failed = append(failed, strings.TrimPrefix(line, match[0]))
		}
	}
	return append(failed, fatal...)
}

// harmless are errors that every kube-apiserver logs when it boots on the data
// of another.
func harmless(line string) bool {
	return strings.Contains(line, "The manifest file is empty") || strings.Contains(line, "Found stale data")
}

// lastWords quotes the last complaint of the server's log; empty when there is none.
func (c Config) lastWords(log string) string {
	all := complaints(log)
	if len(all) == 0 {
		return ""
	}
	return "; its log says: " + c.withoutSecrets(all[len(all)-1])
}

// withoutSecrets cuts a line before it may speak of content: parsers quote what
// they can't parse, and that may be a key or a Secret.
func (c Config) withoutSecrets(line string) string {
	const cut = " […]"
	encryption := regexp.MustCompile(`(?i)encrypt|error while parsing file`)
	if c.At.EncryptionConfig != "" && encryption.MatchString(line) {
		return "reading the encryption configuration " + c.At.EncryptionConfig + cut
	}
	parsers := regexp.MustCompile(`(?i)unmarshal|yaml:|json:|json parse|proto:|invalid character|illegal base64|parsing time|strict decoding|unable to decode|cannot parse|invalid value`)
	end := len(line)
	if at := parsers.FindStringIndex(line); at != nil {
		end = at[1]
	}
	if end = min(end, quoted); end < len(line) {
		return strings.ToValidUTF8(line[:end], "") + cut
	}
	return line
}
