package com.example.alpha;

import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class CoreTest {
    @Test
    public void shouts() throws Exception {
        assertEquals("LARDER", Core.shout("larder"));
    }
}
