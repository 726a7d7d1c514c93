package velero

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/verify/objects"
)

// mostNotes bounds how many of a comparison's notes a rung tells; how many there were is
// said.
const mostNotes = 5

// weigh says what a comparison means. What was left out of it is told whatever that is.
func weigh(result objects.Result) backup.Rung {
	found := weighLosses(result)
	found.Notes = notes(result)
	restored, living := leftOutCounts(result)
	if restored > 0 {
		found.Summary += fmt.Sprintf("; %d objects of the backup are not restored", restored)
	}
	if living > 0 {
		found.Summary += fmt.Sprintf("; %d living objects are none of the backup's", living)
	}
	return found
}

func weighLosses(result objects.Result) backup.Rung {
	expected := int64(0)
	for _, n := range result.Expected {
		expected += n
	}
	if result.LossCount > 0 {
		found := backup.Broken("%d losses; %d objects came back as they were backed up", result.LossCount, result.Equal)
		for _, loss := range result.Loss[:min(len(result.Loss), mostProblems)] {
			found.Problems = append(found.Problems, loss.String())
		}
		found.ProblemCount = result.LossCount
		return found
	}
	if result.Objects == 0 || result.Equal == 0 {
		return backup.Unsure("no object could be compared")
	}
	return backup.Held("%d objects in %d resources came back as they were backed up; %d differences are expected by rule, %d are changes of the original since",
		result.Equal, len(wantedCounts(result)), expected, result.DriftCount)
}

// leftOutCounts are the objects of the backup that no drill, or not this one, restores,
// and the living ones that the backup was not to hold.
func leftOutCounts(result objects.Result) (restored, living int64) {
	for resource := range result.NotRestored {
		restored += result.Counts[resource].Wanted
	}
	for _, n := range result.NotBackedUp {
		living += n
	}
	return restored, living
}

// notes say what was left out and why, and name references that may lead a started copy
// to the original.
func notes(result objects.Result) []string {
	resources := map[string][]string{} // by why
	for _, resource := range slices.Sorted(maps.Keys(result.NotRestored)) {
		why := result.NotRestored[resource]
		resources[why] = append(resources[why], fmt.Sprintf("%s (%d)", resource, result.Counts[resource].Wanted))
	}
	var lines []string
	for _, why := range slices.Sorted(maps.Keys(resources)) {
		lines = append(lines, fmt.Sprintf("not restored: %s: %s", strings.Join(resources[why], ", "), why))
	}
	for _, why := range slices.Sorted(maps.Keys(result.NotBackedUp)) {
		lines = append(lines, fmt.Sprintf("none of the backup's: %d living objects: %s", result.NotBackedUp[why], why))
	}
	told := result.Notes[:min(len(result.Notes), mostNotes)]
	for _, note := range told {
		lines = append(lines, note.String())
	}
	if more := result.NoteCount - int64(len(told)); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more like these", more))
	}
	return lines
}

func wantedCounts(result objects.Result) map[string]int64 {
	counts := map[string]int64{}
	for resource, count := range result.Counts {
		if count.Wanted > 0 {
			counts[resource] = count.Wanted
		}
	}
	return counts
}
