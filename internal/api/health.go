package api

import (
	_ "embed"
	"net/http"
	"slices"
	"strconv"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI is the description of the API, as it is served.
func OpenAPI() []byte { return openAPI }

func getOpenAPI(c *call) error { return c.text("application/yaml; charset=utf-8", openAPI) }

// text answers with bytes that are not JSON.
func (c *call) text(typ string, b []byte) error {
	c.w.Header().Set("Content-Type", typ)
	c.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(b) // the client may be gone
	}
	return nil
}

func getHealth(c *call) error { return c.json(&Health{Status: "ok"}) }

// getReady answers 503 with the reasons, still as Health: those who ask are
// programs that look at the status and people who look at the reasons.
func getReady(c *call) error {
	why := []Problem{{Code: "starting", Args: []Pair{}}}
	if st := c.s.cfg.Backend.State; st != nil {
		why = st.Ready(c.ctx())
	}
	if len(why) == 0 {
		return c.json(&Health{Status: "ok"})
	}
	h := Health{Status: "unready", Problems: why}
	for _, p := range why {
		if !slices.Contains(h.Reasons, p.Code) {
			h.Reasons = append(h.Reasons, p.Code)
		}
	}
	b, err := encode(&h)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Retry-After", "5")
	c.w.WriteHeader(http.StatusServiceUnavailable)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(b)
	}
	return nil
}
