package files

import "github.com/yamori-net/yamori/internal/event"

// Info is the body of an event of type event.FileInfo: the object of the
// transaction that carries the file, then Suricata's fileinfo object.
type Info struct{ Track *Track }

// EncodeEVE implements event.Body.
func (i *Info) EncodeEVE(e *event.Encoder) {
	t := i.Track
	f := t.file
	if f.Tx != nil {
		f.Tx.EncodeEVE(e)
	}
	e.Obj("fileinfo")
	e.OptBytes("filename", f.Name)
	e.OptStr("magic", t.Magic())
	e.Bool("gaps", t.gap)
	e.Str("state", t.state.String())
	if b, ok := t.MD5(); ok {
		e.Hex("md5", b)
	}
	if b, ok := t.SHA1(); ok {
		e.Hex("sha1", b)
	}
	if b, ok := t.SHA256(); ok {
		e.Hex("sha256", b)
	}
	e.Bool("stored", false)
	e.Uint("size", t.size)
	if f.End > 0 {
		e.Uint("start", f.Start)
		e.Uint("end", f.End)
	}
	e.Uint("tx_id", f.TxID)
	e.EndObj()
}
