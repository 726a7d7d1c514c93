package objects

import (
	"math"
	"reflect"
)

// same says whether two JSON values are the same, knowing nothing of their
// types: null is as good as absent, and 1 is 1.0. It allocates nothing.
func same(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && sameMaps(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && sameLists(a, b)
	}
	if x, ok := numberOf(a); ok {
		y, ok := numberOf(b)
		return ok && x == y
	}
	return reflect.DeepEqual(a, b) // what no JSON has, put there by a program
}

func sameLists(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !same(a[i], b[i]) {
			return false
		}
	}
	return true
}

func sameMaps(a, b map[string]any) bool {
	both := 0
	for name, x := range a {
		y, ok := b[name]
		if ok {
			both++
		}
		if !same(x, y) {
			return false
		}
	}
	if both == len(b) {
		return true
	}
	for name, y := range b {
		if _, ok := a[name]; !ok && y != nil {
			return false
		}
	}
	return true
}

// number is a number of JSON: whole ones exactly, all others as they come.
type number struct {
	whole    int64
	fraction float64
	isWhole  bool
}

func numberOf(value any) (number, bool) {
	switch v := value.(type) {
	case int64:
		return number{whole: v, isWhole: true}, true
	case float64:
		return ofFloat(v), true
	case int:
		return number{whole: int64(v), isWhole: true}, true
	case int32:
		return number{whole: int64(v), isWhole: true}, true
	case float32:
		return ofFloat(float64(v)), true
	default:
		return number{}, false
	}
}

func ofFloat(f float64) number {
	switch {
	case math.IsNaN(f): // which would not equal itself
		return number{fraction: math.Inf(1), whole: 1}
	case f == math.Trunc(f) && f >= -1<<63 && f < 1<<63:
		return number{whole: int64(f), isWhole: true}
	default:
		return number{fraction: f}
	}
}
