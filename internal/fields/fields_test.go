package fields

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestCountAndShare(t *testing.T) {
	for _, test := range []struct {
		value        string // as intstr.Parse reads it
		count, share bool
	}{
		{"0", false, true},
		{"1", true, true},
		{"-1", false, false},
		{"0%", false, true},
		{"1%", true, true},
		{"100%", true, true},
		{"101%", false, false},
		{"300%", false, false},
		{"-5%", false, false},
		{"+5%", false, false},
		{"1.5%", false, false},
		{"%", false, false},
		{"", false, false},
		{"all", true, false},
		{"All", false, false},
		{"few", false, false},
	} {
		value := intstr.Parse(test.value)
		if got := len(Count(path(), &value)) == 0; got != test.count {
			t.Errorf("Count(%q) accepted = %t, want %t", test.value, got, test.count)
		}
		if got := len(Share(path(), &value)) == 0; got != test.share {
			t.Errorf("Share(%q) accepted = %t, want %t", test.value, got, test.share)
		}
	}
	if len(Count(path(), nil))+len(Share(path(), nil)) != 0 {
		t.Error("an unset value is refused")
	}
}

func TestDurations(t *testing.T) {
	for _, test := range []struct {
		value                 *metav1.Duration
		positive, notNegative bool
	}{
		{nil, true, true},
		{&metav1.Duration{}, false, true},
		{&metav1.Duration{Duration: time.Second}, true, true},
		{&metav1.Duration{Duration: -time.Second}, false, false},
	} {
		if got := len(Positive(path(), test.value)) == 0; got != test.positive {
			t.Errorf("Positive(%v) accepted = %t, want %t", test.value, got, test.positive)
		}
		if got := len(NotNegative(path(), test.value)) == 0; got != test.notNegative {
			t.Errorf("NotNegative(%v) accepted = %t, want %t", test.value, got, test.notNegative)
		}
	}
}

func TestText(t *testing.T) {
	for _, test := range []struct {
		name string
		got  field.ErrorList
		ok   bool
	}{
		{"selector", Selector(path(), "app in (web,worker),!canary"), true},
		{"no selector", Selector(path(), " "), false},
		{"broken selector", Selector(path(), "app in web"), false},
		{"label", Label(path(), "kill-one"), true},
		{"label with a dot", Label(path(), "kill.one"), false},
		{"no label", Label(path(), ""), false},
		{"subdomain", Subdomain(path(), "web.v2"), true},
		{"subdomain with a slash", Subdomain(path(), "shop/web"), false},
		{"default choice", OneOf(path(), "", "a", "b"), true},
		{"choice", OneOf(path(), "b", "a", "b"), true},
		{"no choice", OneOf(path(), "c", "a", "b"), false},
	} {
		if ok := len(test.got) == 0; ok != test.ok {
			t.Errorf("%s: accepted = %t, want %t: %v", test.name, ok, test.ok, test.got)
		}
	}
}

func path() *field.Path { return field.NewPath("spec") }
