package veleroschedules

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// defaultShrink lets half of the items go: what is replaced and tidied up in a
// day is less, and what a wrong selector or a lost namespace leaves is mostly less.
const defaultShrink = "50%"

// least is how many items the newest backup must hold after one that held before.
func least(before int, shrink *intstr.IntOrString) int {
	if shrink == nil {
		shrink = &intstr.IntOrString{Type: intstr.String, StrVal: defaultShrink}
	}
	if shrink.Type == intstr.Int {
		return max(1, before-shrink.IntValue())
	}
	percent, err := strconv.Atoi(strings.TrimSuffix(shrink.StrVal, "%"))
	if err != nil || percent < 0 || percent > 100 {
		percent = 0 // Validate has refused it
	}
	return max(1, (before*(100-percent)+99)/100)
}

// weighItems finds whether the newest backup holds anything, and about as much
// as the one before.
func (w *weighed) weighItems(newest, before *backupSeen, shrink *intstr.IntOrString) {
	switch {
	case newest.Items == nil:
		w.cannotTell("%s does not say how many items it holds", newest.Name)
		w.describe(newest)
		return
	case *newest.Items <= 0:
		w.fail("%s is Completed and holds nothing", newest.Name)
		w.hint("look at what spec.template of Schedule %s chooses: its namespaces and its selectors", w.schedule.Name)
		return
	case before == nil:
		w.note("there is no backup before %s to compare its %d items with", newest.Name, *newest.Items)
		return
	case before.Items == nil:
		w.cannotTell("%s, which the newest is compared with, does not say how many items it holds", before.Name)
		w.describe(before)
		return
	}
	if floor := least(*before.Items, shrink); *newest.Items < floor {
		w.fail("%s holds %d items, %s before it held %d; %d are the least%s",
			newest.Name, *newest.Items, before.Name, *before.Items, floor, changedScope(newest, before))
		w.hint("compare what they hold: %s", w.cli("backup describe --details %s %s", newest.Name, before.Name))
	}
}

// changedScope tells that the Schedule now chooses something else: fewer items
// may be meant then.
func changedScope(newest, before *backupSeen) string {
	switch {
	case newest.Namespaces != before.Namespaces:
		return fmt.Sprintf("; its namespaces were %s and are %s", orNone(before.Namespaces), orNone(newest.Namespaces))
	case newest.Scope != before.Scope:
		return "; what it chooses was changed"
	}
	return ""
}
