package event

// Time appends ns since the epoch as a string in EVE's form.
func (e *Encoder) Time(k string, ns int64) {
	e.start(k)
	e.B = append(e.B, '"')
	e.B = e.appendTime(e.B, ns)
	e.B = append(e.B, '"')
}

// appendTime appends ns since the epoch as 2006-01-02T15:04:05.000000+0000,
// the form that Suricata writes (in UTC). Years beyond 0…9999 are clamped.
func (e *Encoder) appendTime(dst []byte, ns int64) []byte {
	sec := ns / 1e9
	frac := ns % 1e9
	if frac < 0 {
		sec--
		frac += 1e9
	}
	day := sec / 86400
	if sec%86400 < 0 {
		day--
	}
	if !e.hasDay || e.day != day {
		e.hasDay, e.day = true, day
		y, m, d := civil(day)
		y = max(0, min(y, 9999))
		t := &e.dayText
		t[0], t[1], t[2], t[3] = byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10)
		t[4], t[7] = '-', '-'
		t[5], t[6] = byte('0'+m/10), byte('0'+m%10)
		t[8], t[9] = byte('0'+d/10), byte('0'+d%10)
	}
	s := sec - day*86400
	dst = append(dst, e.dayText[:]...)
	dst = append(dst, 'T')
	dst = two(dst, s/3600)
	dst = append(dst, ':')
	dst = two(dst, s/60%60)
	dst = append(dst, ':')
	dst = two(dst, s%60)
	dst = append(dst, '.')
	us := frac / 1000
	dst = two(dst, us/10000)
	dst = two(dst, us/100%100)
	dst = two(dst, us%100)
	return append(dst, "+0000"...)
}

func two(dst []byte, v int64) []byte {
	return append(dst, byte('0'+v/10), byte('0'+v%10))
}

// civil converts days since 1970-01-01 to a date of the proleptic Gregorian
// calendar (eras of 400 years, starting in March).
func civil(z int64) (y, m, d int64) {
	z += 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	y = yoe + era*400
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = mp + 3
	if m > 12 {
		m -= 12
	}
	if m <= 2 {
		y++
	}
	return y, m, d
}
