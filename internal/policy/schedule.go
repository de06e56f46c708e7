package policy

import "time"

// Schedule says when a pause holds, by the home's local time: slots of a week.
type Schedule struct {
	Slots []Slot `json:"slots"`
}

// MaxSlots bounds the slots of a schedule.
const MaxSlots = 32

// Slot is a stretch of time on some days. A slot whose end is not after its
// begin runs past midnight and belongs to the day on which it begins.
type Slot struct {
	// Days is a set of weekdays, bit 0 for Sunday … bit 6 for Saturday.
	Days uint8  `json:"days"`
	From uint16 `json:"from"` // minute of the day, 0 … 1439
	To   uint16 `json:"to"`   // minute of the day, exclusive, 1 … 1440
}

const (
	dayMinutes = 24 * 60
	allDays    = 1<<7 - 1
)

func (s *Schedule) check() error {
	if len(s.Slots) == 0 || len(s.Slots) > MaxSlots {
		return fieldError("schedule.slots", "%d slots: give 1 to %d", len(s.Slots), MaxSlots)
	}
	for _, sl := range s.Slots {
		switch {
		case sl.Days == 0 || sl.Days > allDays:
			return fieldError("schedule.slots.days", "%#x: choose at least one weekday, bit 0 for Sunday to bit 6 for Saturday", sl.Days)
		case sl.From >= dayMinutes || sl.To == 0 || sl.To > dayMinutes:
			return fieldError("schedule.slots.from", "%d to %d: use minutes of the day, from 0 to 1439, to 1 to 1440", sl.From, sl.To)
		case sl.From == sl.To:
			return fieldError("schedule.slots.to", "the slot is empty; for a whole day use 0 to 1440")
		}
	}
	return nil
}

// Holds reports whether one of the slots covers t, a local time.
func (s *Schedule) Holds(t time.Time) bool {
	day := uint(t.Weekday())
	min := uint16(t.Hour()*60 + t.Minute())
	for _, sl := range s.Slots {
		today := sl.Days>>day&1 != 0
		if sl.From < sl.To {
			if today && min >= sl.From && min < sl.To {
				return true
			}
			continue
		}
		yesterday := sl.Days>>((day+6)%7)&1 != 0
		if today && min >= sl.From || yesterday && min < sl.To {
			return true
		}
	}
	return false
}

// left returns how long the schedule goes on holding from t on, to the minute,
// at most a week.
func (s *Schedule) left(t time.Time) time.Duration {
	u := t.Truncate(time.Minute)
	for range 7 * dayMinutes {
		u = u.Add(time.Minute)
		if !s.Holds(u) {
			break
		}
	}
	return u.Sub(t)
}

// MorningHour is when "until morning" ends, by the home's local time.
const MorningHour = 7

// UntilMorning returns how long it is from t, a local time, to the next
// morning.
func UntilMorning(t time.Time) time.Duration {
	m := time.Date(t.Year(), t.Month(), t.Day(), MorningHour, 0, 0, 0, t.Location())
	if !m.After(t) {
		m = time.Date(t.Year(), t.Month(), t.Day()+1, MorningHour, 0, 0, 0, t.Location())
	}
	return m.Sub(t)
}
